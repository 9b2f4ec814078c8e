import { Badge } from '@mantine/core'

import type { SaleSummary } from '../../../api/types'
import { useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'

export function SaleState({ sale }: { sale: Pick<SaleSummary, 'state' | 'refund_of'> }) {
  const word = useWord(words)
  if (sale.refund_of) return <Badge color="amber">{word('refund')}</Badge>
  return <Badge color={sale.state === 'completed' ? 'spruce' : sale.state === 'voided' ? 'gray' : 'amber'}>{word(sale.state)}</Badge>
}
