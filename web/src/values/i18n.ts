/** The catalogue's grammar: `{name}` placeholders, and two forms for counted things. No library, all of it typed. */
export const LOCALES = ['en', 'de'] as const
export type Locale = (typeof LOCALES)[number]

/** A text, or its forms by number: the one for `count` is chosen by the language's own plural rule. */
export type Text = string | { one: string; other: string }
export type Catalogue = Record<string, Text>
export type Texts<K extends string = string> = Record<Locale, Record<K, Text>>
export type Values = Record<string, string | number>

/** English names the keys; German must have every one of them and no other. */
export function defineTexts<const E extends Catalogue>(texts: { en: E; de: { [K in keyof E]: Text } }): Texts<keyof E & string> {
  return texts as Texts<keyof E & string>
}

export function fill(text: Text, values: Values, locale: string, show: (n: number) => string = String): string {
  const form = typeof text === 'string' ? text : text[rule(locale, Number(values.count ?? 0))]
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    return value === undefined ? whole : typeof value === 'number' ? show(value) : value
  })
}

const rules = new Map<string, Intl.PluralRules>()

function rule(locale: string, count: number): 'one' | 'other' {
  let found = rules.get(locale)
  if (!found) rules.set(locale, (found = new Intl.PluralRules(locale)))
  return found.select(count) === 'one' ? 'one' : 'other'
}

/** "de-AT" → "de"; anything we have no words for → English. */
export function nearest(wish: string | null | undefined): Locale {
  const language = (wish ?? '').toLowerCase().split(/[-_]/)[0]
  return LOCALES.find((locale) => locale === language) ?? 'en'
}
