import type { Money } from './money'

/** Numbers, money, dates in the reader's own form. Made once per locale and zone: Intl objects are slow to build. */
export type Formats = ReturnType<typeof makeFormats>

export function makeFormats(locale: string, timeZone?: string) {
  const zone = zoneOrNone(timeZone)
  const moneyForms = new Map<string, Intl.NumberFormat>()
  const quantity = new Intl.NumberFormat(locale, { maximumFractionDigits: 6 })
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 })
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone })
  const date = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: zone })
  const plainDate = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' })
  const plainDay = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' })
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: zone })
  const time = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', timeZone: zone })
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone: zone })
  const ago = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' })

  // Intl formats decimal strings exactly (the spec reads them as mathematical values); the cast is TypeScript's lag.
  const exact = (form: Intl.NumberFormat, text: string) => form.format(text as unknown as number)

  function moneyForm(currency: string): Intl.NumberFormat {
    let form = moneyForms.get(currency)
    if (!form) {
      try {
        form = new Intl.NumberFormat(locale, { style: 'currency', currency })
      } catch {
        form = new Intl.NumberFormat(locale, { minimumFractionDigits: 2 })
      }
      moneyForms.set(currency, form)
    }
    return form
  }

  return {
    locale,
    decimalMark: quantity.formatToParts(1.5).find((part) => part.type === 'decimal')?.value ?? '.',
    /** A decimal string as it reads here; a null stays a dash, a zero is a zero. */
    quantity: (text: string | null | undefined) => (text == null || text === '' ? '–' : exact(quantity, text)),
    /** With its sign always shown: "+3", "−2". */
    change: (text: string) => (text.startsWith('-') ? `−${exact(quantity, text.slice(1))}` : `+${exact(quantity, text)}`),
    count: (n: number) => whole.format(n),
    percent: (n: number) => percent.format(n),
    money: (value: Money | null | undefined) => (value ? exact(moneyForm(value.currency), value.amount) : '–'),
    /** Large sums without the cents: for reading at a glance, never for books. */
    moneyRound: (value: Money | null | undefined) => {
      if (!value) return '–'
      const form = moneyForm(value.currency)
      if (value.amount.replace(/\..*$/, '').replace('-', '').length < 5) return exact(form, value.amount)
      const { style, currency } = form.resolvedOptions()
      return exact(new Intl.NumberFormat(locale, { style, currency, maximumFractionDigits: 0 }), value.amount)
    },
    dateTime: (iso: string | null | undefined) => (iso ? dateTime.format(new Date(iso)) : '–'),
    /** A calendar day ("2026-11-21") stays that day in every zone. */
    date: (iso: string | null | undefined) => (iso ? (iso.length === 10 ? plainDate : date).format(new Date(iso)) : '–'),
    day: (iso: string | null | undefined) => (iso ? (iso.length === 10 ? plainDay : day).format(new Date(iso)) : '–'),
    time: (iso: string | null | undefined) => (iso ? time.format(new Date(iso)) : '–'),
    clock: (iso: string | null | undefined) => (iso ? clock.format(new Date(iso)) : '–'),
    /** "12 sec. ago": the largest unit that is at least one. */
    ago: (ms: number) => {
      const seconds = Math.round(ms / 1000)
      if (seconds < 60) return ago.format(-seconds, 'second')
      if (seconds < 3600) return ago.format(-Math.floor(seconds / 60), 'minute')
      if (seconds < 86_400) return ago.format(-Math.floor(seconds / 3600), 'hour')
      return ago.format(-Math.floor(seconds / 86_400), 'day')
    },
  }
}

function zoneOrNone(timeZone: string | undefined): string | undefined {
  try {
    if (timeZone) new Intl.DateTimeFormat('en', { timeZone })
    return timeZone || undefined
  } catch {
    return undefined
  }
}
