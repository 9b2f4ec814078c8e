import { useCallback } from 'react'

import { useFormats } from '../../../ui/i18n/useTexts'

const UNITS = ['kB', 'MB', 'GB', 'TB'] as const

/** Bytes as a person reads them. */
export function useSize(): (bytes: number) => string {
  const formats = useFormats()
  return useCallback(
    (bytes: number) => {
      let value = bytes / 1000
      let at = 0
      while (value >= 1000 && at < UNITS.length - 1) {
        value /= 1000
        at += 1
      }
      return `${formats.quantity(value.toFixed(value < 10 ? 1 : 0))} ${UNITS[at]}`
    },
    [formats],
  )
}
