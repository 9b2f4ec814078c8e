import { Badge, Group } from '@mantine/core'

import type { TransferRow } from '../../../api/types'
import { useTexts } from '../../../ui/i18n/useTexts'
import { transferTexts } from './texts'

const COLOURS = { draft: 'gray', placed: 'amber', shipped: 'blue', received: 'spruce', cancelled: 'gray' } as const

export function TransferState({ transfer }: { transfer: Pick<TransferRow, 'state' | 'overdue'> }) {
  const t = useTexts(transferTexts)
  return (
    <Group gap={6} wrap="nowrap">
      <Badge color={COLOURS[transfer.state]}>{t(transfer.state)}</Badge>
      {transfer.overdue ? <Badge color="brick">{t('overdue')}</Badge> : null}
    </Group>
  )
}

/** "5 h" or "3 d": how long goods have been on the way. */
export function Age({ hours }: { hours: number | null }) {
  const t = useTexts(transferTexts)
  if (hours === null) return <span>–</span>
  return <span className={`num${hours >= 48 ? ' warn' : ''}`}>{hours < 48 ? t('hours', { count: hours }) : t('days', { count: Math.floor(hours / 24) })}</span>
}
