import { describe, expect, it } from 'vitest'

import { add, compare, fromTyped, negate, shift, sign, subtract, sum, trim } from './decimal'
import { makeFormats } from './format'
import { defineTexts, fill, nearest } from './i18n'
import { pathOf, paths, safeNext } from './paths'
import { ScanBuffer, readScan } from './scan'
import { FrameReader } from './sse'
import { uuid7 } from './uuid7'

describe('decimal strings', () => {
  it('adds without floats', () => {
    expect(add('0.1', '0.2')).toBe('0.3')
    expect(add('-0.05', '0.005')).toBe('-0.045')
    expect(subtract('9007199254740993', '1')).toBe('9007199254740992')
    expect(sum(['1.5', '2', '-3.25'])).toBe('0.25')
  })
  it('compares across scales and signs', () => {
    expect(compare('2.50', '2.5')).toBe(0)
    expect(compare('-1', '0.1')).toBe(-1)
    expect(sign('-0.000')).toBe(0)
    expect(negate('0')).toBe('0')
  })
  it('trims for showing', () => {
    expect(trim('3.500')).toBe('3.5')
    expect(trim('100')).toBe('100')
    expect(trim('-0.50')).toBe('-0.5')
  })
  it('reads what people type in their own notation', () => {
    expect(fromTyped('1.234,5', ',')).toBe('1234.5')
    expect(fromTyped('1,234.5', '.')).toBe('1234.5')
    expect(fromTyped('−3', ',')).toBe('-3')
    expect(fromTyped('twelve', '.')).toBeNull()
    expect(fromTyped('', '.')).toBeNull()
  })
  it('moves the point', () => {
    expect(shift('19', -2)).toBe('0.19')
    expect(shift('7.5', -2)).toBe('0.075')
    expect(shift('0.19', 3)).toBe('190')
  })
  it('refuses what is no number', () => {
    expect(() => add('1e3', '1')).toThrow(RangeError)
  })
})

describe('formats', () => {
  it('keeps every digit of a long decimal', () => {
    expect(makeFormats('en').quantity('12345678901234567890.5')).toBe('12,345,678,901,234,567,890.5')
    expect(makeFormats('de').quantity('1234.5')).toBe('1.234,5')
  })
  it('writes money in the local form', () => {
    expect(makeFormats('de').money({ amount: '1234.50', currency: 'EUR' })).toBe('1.234,50\u00a0€')
    expect(makeFormats('en').money({ amount: '-3', currency: 'USD' })).toBe('-$3.00')
    expect(makeFormats('en').money(null)).toBe('–')
  })
  it('shows times in the zone of the organisation', () => {
    expect(makeFormats('en-GB', 'America/New_York').clock('2026-01-05T12:00:00Z')).toBe('07:00')
    expect(() => makeFormats('en', 'Not/AZone').clock('2026-01-05T12:00:00Z')).not.toThrow()
  })
  it('names ages by their largest unit', () => {
    expect(makeFormats('en').ago(125_000)).toBe('2 min. ago')
  })
})

describe('catalogue', () => {
  const texts = defineTexts({ en: { rows: { one: '{count} row', other: '{count} rows' }, hello: 'Hello {name}' }, de: { rows: { one: '{count} Zeile', other: '{count} Zeilen' }, hello: 'Hallo {name}' } })
  it('fills placeholders and chooses the form', () => {
    expect(fill(texts.en.rows, { count: 1 }, 'en')).toBe('1 row')
    expect(fill(texts.de.rows, { count: 0 }, 'de')).toBe('0 Zeilen')
    expect(fill(texts.de.hello, { name: '{count}' }, 'de')).toBe('Hallo {count}')
  })
  it('falls back to English', () => {
    expect(nearest('de-AT')).toBe('de')
    expect(nearest('fr')).toBe('en')
    expect(nearest(null)).toBe('en')
  })
})

describe('paths', () => {
  it('never jumps to another host after login', () => {
    expect(safeNext('/stock?q=tea')).toBe('/stock?q=tea')
    expect(safeNext('//evil.example')).toBe('/')
    expect(safeNext('/\\evil.example')).toBe('/')
    expect(safeNext('https://evil.example')).toBe('/')
    expect(safeNext(undefined)).toBe('/')
  })
  it('escapes filters', () => {
    expect(paths.stock({ q: 'a&b', below: undefined })).toBe('/stock?q=a%26b')
    expect(pathOf('supplier', 'x', 'Acme & Co')).toBe('/suppliers?q=Acme+%26+Co')
  })
})

describe('scanner', () => {
  const type = (buffer: ScanBuffer, text: string, gap: number, from = 0) => [...text].map((key, i) => buffer.feed({ key, at: from + i * gap }))
  it('takes a fast burst that ends in Enter or Tab', () => {
    for (const end of ['Enter', 'Tab']) {
      const buffer = new ScanBuffer()
      type(buffer, '4006381333931', 8)
      expect(buffer.feed({ key: end, at: 13 * 8 })).toEqual({ code: '4006381333931', symbology: null })
    }
  })
  it('leaves people alone', () => {
    const buffer = new ScanBuffer()
    type(buffer, 'stock', 120)
    expect(buffer.feed({ key: 'Enter', at: 700 })).toBeNull()
    type(buffer, 'abc', 5, 1000)
    expect(buffer.feed({ key: 'Enter', at: 1020 })).toBeNull()
  })
  it('forgets keys before the burst, and ignores Shift', () => {
    const buffer = new ScanBuffer()
    buffer.feed({ key: 'g', at: 0 })
    type(buffer, 'AB', 5, 900)
    buffer.feed({ key: 'Shift', at: 912 })
    type(buffer, 'CD12', 5, 916)
    expect(buffer.feed({ key: 'Enter', at: 940 })?.code).toBe('ABCD12')
  })
  it('reads AIM prefixes and group separators', () => {
    expect(readScan(']C10104006381333931')).toEqual({ code: '0104006381333931', symbology: ']C1' })
    const buffer = new ScanBuffer()
    type(buffer, '10LOT7', 5)
    buffer.feed({ key: ']', at: 30, ctrl: true })
    type(buffer, '17', 5, 35)
    expect(buffer.feed({ key: 'Enter', at: 50 })?.code).toBe('10LOT7\u001d17')
  })
})

describe('event stream', () => {
  it('reads frames that arrive in pieces, and skips heartbeats', () => {
    const reader = new FrameReader()
    expect(reader.push(': beat\n\nid: 7\nevent: sale.comp')).toEqual([])
    expect(reader.push('leted\ndata: {"a":\ndata: 1}\n\n')).toEqual([{ event: 'sale.completed', data: '{"a":\n1}', id: '7' }])
  })
  it('keeps the last id for frames without one, and takes CRLF split across chunks', () => {
    const reader = new FrameReader()
    reader.push('id: 9\r\ndata: x\r\n\r\n')
    expect(reader.push('data: y\r')).toEqual([])
    expect(reader.push('\n\r\n')).toEqual([{ event: 'message', data: 'y', id: '9' }])
  })
})

describe('ids', () => {
  it('makes UUIDv7 that sort by time', () => {
    const [a, b] = [uuid7(1_700_000_000_000), uuid7(1_700_000_000_001)]
    expect(a).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(a < b).toBe(true)
  })
})
