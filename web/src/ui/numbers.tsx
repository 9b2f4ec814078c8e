import { useEffect, useRef, useState } from 'react'

import { compare, sign } from '../values/decimal'
import type { Money } from '../values/money'
import { useFormats } from './i18n/useTexts'

type Props = { value: string | null | undefined; unit?: string; /** Warn when it is below this. */ minimum?: string | null; flash?: boolean; signed?: boolean }

/** A quantity as it reads here. Below zero is red, below its minimum amber; a live change flashes once. */
export function Quantity({ value, unit, minimum, flash, signed }: Props) {
  const formats = useFormats()
  const change = useChange(flash ? value : undefined)
  const tone = value == null ? '' : sign(value) < 0 ? ' bad' : minimum && compare(value, minimum) < 0 ? ' warn' : ''
  return (
    <span key={change.count} className={`num${tone}${change.direction ? ` flash-${change.direction}` : ''}`} style={{ padding: '1px 4px', margin: '0 -4px', borderRadius: 4 }}>
      {value != null && signed ? formats.change(value) : formats.quantity(value)}
      {unit ? <span style={{ opacity: 0.75 }}> {unit}</span> : null}
    </span>
  )
}

/** Up or down since it was last drawn; the count makes the animation start anew. */
function useChange(value: string | null | undefined): { direction: 'up' | 'down' | null; count: number } {
  const before = useRef(value)
  const [change, setChange] = useState<{ direction: 'up' | 'down' | null; count: number }>({ direction: null, count: 0 })
  useEffect(() => {
    const was = before.current
    before.current = value
    if (was == null || value == null) return
    const way = compare(value, was)
    if (way) setChange((last) => ({ direction: way > 0 ? 'up' : 'down', count: last.count + 1 }))
  }, [value])
  return change
}

export function MoneyText({ value }: { value: Money | null | undefined }) {
  const formats = useFormats()
  return <span className={`num${value && sign(value.amount) < 0 ? ' bad' : ''}`}>{formats.money(value)}</span>
}

export function When({ at, form = 'dateTime' }: { at: string | null | undefined; form?: 'dateTime' | 'date' | 'time' | 'clock' }) {
  const formats = useFormats()
  if (!at) return <span>–</span>
  return (
    <time className="num" dateTime={at} title={at}>
      {formats[form](at)}
    </time>
  )
}
