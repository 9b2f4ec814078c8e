import { Badge } from '@mantine/core'

import type { Lot } from '../../../api/types'
import { useTexts } from '../../../ui/i18n/useTexts'
import { qualityTexts } from './texts'

const COLORS: Record<string, string> = { sound: 'spruce', held: 'amber', recalled: 'brick', expired: 'brick', uncertified: 'amber' }
type State = 'sound' | 'held' | 'recalled' | 'expired' | 'uncertified'

export function LotState({ lot }: { lot: Pick<Lot, 'state'> }) {
  const t = useTexts(qualityTexts)
  return <Badge color={COLORS[lot.state] ?? 'gray'}>{t(lot.state as State)}</Badge>
}

/** How long it keeps, in words; near its end it warns. */
export function DaysLeft({ lot }: { lot: Pick<Lot, 'days_left' | 'near_expiry'> }) {
  const t = useTexts(qualityTexts)
  if (lot.days_left === null) return <span>–</span>
  const over = lot.days_left < 0
  return <span className={`num${over ? ' bad' : lot.near_expiry ? ' warn' : ''}`}>{t(over ? 'overdue' : 'days', { count: Math.abs(lot.days_left) })}</span>
}
