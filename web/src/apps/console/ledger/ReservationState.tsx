import { Badge } from '@mantine/core'

import type { Reservation } from '../../../api/types'
import { useTexts, useWord } from '../../../ui/i18n/useTexts'
import { reservationTexts, reservationWords } from './reservationTexts'

const COLORS: Record<string, string> = { open: 'spruce', consumed: 'gray', released: 'gray', expired: 'amber' }

/** The state; an open one whose end has come says so. */
export function ReservationState({ row }: { row: Reservation }) {
  const t = useTexts(reservationTexts)
  const word = useWord(reservationWords)
  return <Badge color={row.lapsed ? 'amber' : COLORS[row.state]}>{row.lapsed ? t('lapsed') : word(row.state)}</Badge>
}
