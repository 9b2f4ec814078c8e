import { createContext, useCallback, useContext } from 'react'

import { asProblem } from '../../api/problem'
import { makeFormats, type Formats } from '../../values/format'
import { fill, type Locale, type Texts, type Values } from '../../values/i18n'
import { problems, shared } from './texts'

export type Language = { locale: Locale; formats: Formats; choose(locale: Locale): void }

export const LanguageContext = createContext<Language>({ locale: 'en', formats: makeFormats('en'), choose: () => {} })

export function useLanguage(): Language {
  return useContext(LanguageContext)
}

export function useFormats(): Formats {
  return useContext(LanguageContext).formats
}

/** `const t = useTexts(texts)`, then `t('key', {count: 3})`. A misspelt key does not compile. */
export function useTexts<K extends string>(texts: Texts<K>): (key: K, values?: Values) => string {
  const { locale, formats } = useLanguage()
  return useCallback((key, values = {}) => fill(texts[locale][key], values, locale, formats.count), [texts, locale, formats])
}

export const useShared = () => useTexts(shared)

/** The words for a value the server may invent later: its own name, made readable, when we have none. */
export function useWord<K extends string>(texts: Texts<K>): (value: string | null | undefined) => string {
  const { locale } = useLanguage()
  return useCallback(
    (value) => {
      if (!value) return '–'
      const known = (texts[locale] as Record<string, unknown>)[value]
      return typeof known === 'string' ? known : value.replaceAll('_', ' ')
    },
    [texts, locale],
  )
}

/** A refusal in the reader's language; the server's own sentence when the catalogue has none for the code. */
export function useProblemText(): (error: unknown) => string {
  const { locale } = useLanguage()
  return useCallback(
    (error) => {
      const problem = asProblem(error)
      const known = (problems[locale] as Record<string, unknown>)[problem.code]
      const detail = problem.body.detail ?? problem.body.title
      if (typeof known === 'string') return problem.code === 'invalid_body' && detail ? `${known} ${detail}` : known
      return detail ?? `${(problems[locale] as Record<string, string>).unexpected} (${problem.code})`
    },
    [locale],
  )
}
