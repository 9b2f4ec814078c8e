import { useEffect, useMemo, useState, type ReactNode } from 'react'

import { makeFormats } from '../../values/format'
import { nearest, type Locale } from '../../values/i18n'
import { LanguageContext } from './useTexts'

const STORE = 'onhand-locale'

function remembered(): string | null {
  try {
    return localStorage.getItem(STORE)
  } catch {
    return null
  }
}

/**
 * Language by the reader's choice, then his account, then the browser. Forms follow the region ("de-AT") where the
 * browser's language is the chosen one; times are shown in the organisation's zone so that all screens agree.
 */
export function LanguageProvider({ account, timeZone, children }: { account?: string | null; timeZone?: string; children: ReactNode }) {
  const [chosen, setChosen] = useState(remembered)
  const locale = nearest(chosen ?? account ?? navigator.language)
  useEffect(() => {
    document.documentElement.lang = locale
  }, [locale])
  const language = useMemo(() => {
    const region = navigator.languages.find((tag) => nearest(tag) === locale && tag.startsWith(locale)) ?? locale
    const choose = (next: Locale) => {
      setChosen(next)
      try {
        localStorage.setItem(STORE, next)
      } catch {
        // Not remembered, then.
      }
    }
    return { locale, formats: makeFormats(region, timeZone), choose }
  }, [locale, timeZone])
  return <LanguageContext value={language}>{children}</LanguageContext>
}
