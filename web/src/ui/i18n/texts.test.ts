import { describe, expect, it } from 'vitest'

import type { Text, Texts } from '../../values/i18n'

/** Every catalogue of every feature: same placeholders in both languages, nothing left empty. */
const modules = import.meta.glob<Record<string, unknown>>(['../../**/*exts.ts', '../../**/words.ts'], { eager: true })

const forms = (text: Text) => (typeof text === 'string' ? [text] : [text.one, text.other])
const holes = (text: Text) => [...new Set(forms(text).flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort()
const isCatalogue = (value: unknown): value is Texts => typeof value === 'object' && value !== null && 'en' in value && 'de' in value

const catalogues = Object.entries(modules).flatMap(([file, exports]) => Object.entries(exports).flatMap(([name, value]) => (isCatalogue(value) ? [[`${file} ${name}`, value] as const] : [])))

describe('catalogues', () => {
  it('are found', () => expect(catalogues.length).toBeGreaterThan(6))
  it.each(catalogues)('%s', (_, { en, de }) => {
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort())
    for (const [key, text] of Object.entries(en)) {
      expect(holes(de[key]!), key).toEqual(holes(text))
      for (const form of [...forms(text), ...forms(de[key]!)]) expect(form.trim(), key).not.toBe('')
    }
  })
})
