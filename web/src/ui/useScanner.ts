import { useEffect, useRef } from 'react'

import { ScanBuffer, type Scan } from '../values/scan'

export function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null
  return Boolean(element?.closest?.('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true], [role=textbox]'))
}

/** Pages that take the scanner for themselves; the last one opened has it. */
const alones: object[] = []

/**
 * A scan with no field focused. `quick` gets single keys of a person ("/", "?"), never those of a scanner's burst.
 * `alone`: while this is on screen, nobody else hears the scanner (a page on which one counts).
 */
export function useScanner(onScan: (scan: Scan) => void, quick: (key: string, event: KeyboardEvent) => void, { alone = false }: { alone?: boolean } = {}): void {
  const handlers = useRef({ onScan, quick })
  useEffect(() => {
    handlers.current = { onScan, quick }
  })
  useEffect(() => {
    const buffer = new ScanBuffer()
    const me = {}
    if (alone) alones.push(me)
    const listen = (event: KeyboardEvent) => {
      if (alones.length && alones.at(-1) !== me) return
      if (isTyping(event.target) || event.metaKey || event.altKey || event.isComposing) return buffer.reset()
      const scan = buffer.feed({ key: event.key, at: event.timeStamp, ctrl: event.ctrlKey })
      if (scan) {
        // The burst's Enter must not also press whatever button has the focus.
        event.preventDefault()
        event.stopPropagation()
        handlers.current.onScan(scan)
      } else if (!event.ctrlKey && !buffer.bursting && !event.defaultPrevented) {
        handlers.current.quick(event.key, event)
      }
    }
    document.addEventListener('keydown', listen, { capture: true })
    return () => {
      document.removeEventListener('keydown', listen, { capture: true })
      if (alone) alones.splice(alones.indexOf(me), 1)
    }
  }, [alone])
}
