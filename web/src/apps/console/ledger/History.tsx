import type { HistoryRow } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { Quantity, When } from '../../../ui/numbers'
import { Empty } from '../../../ui/states'
import { historyPath } from './keys'
import { variantTexts } from './texts'

/** What moved, newest first, each line with the balance it left. */
export function History({ variantId, siteId, open }: { variantId: string; siteId: string; open: (posting: string) => void }) {
  const t = useTexts(variantTexts)
  const s = useShared()
  const word = useWord(words)
  const columns: Column<HistoryRow>[] = [
    { id: 'happened', header: t('happened'), width: '190px', narrow: 'title', cell: (row) => <When at={row.happened_at} /> },
    { id: 'recorded', header: t('recorded'), width: '190px', hidden: true, cell: (row) => <When at={row.recorded_at} /> },
    { id: 'kind', header: s('kind'), width: '130px', cell: (row) => word(row.kind) },
    { id: 'change', header: t('change'), width: '90px', align: 'right', cell: (row) => <Quantity value={row.quantity} signed /> },
    { id: 'balance', header: t('balance'), width: '90px', align: 'right', narrow: 'corner', cell: (row) => <strong><Quantity value={row.balance} /></strong> },
    { id: 'place', header: s('location'), width: 'minmax(130px, 1fr)', cell: (row) => row.location_code ?? '–' },
    { id: 'reason', header: s('reason'), width: '130px', hidden: true, cell: (row) => (row.reason ? word(row.reason) : '–') },
    { id: 'source', header: s('source'), width: '120px', hidden: true, cell: (row) => (row.source ? word(row.source.type) : '–') },
    { id: 'who', header: s('who'), width: 'minmax(120px, 1fr)', cell: (row) => row.actor?.name ?? s('system') },
    { id: 'lot', header: s('lot'), width: '110px', cell: (row) => row.lot_code ?? '–' },
    { id: 'condition', header: s('condition'), width: '110px', hidden: true, cell: (row) => word(row.condition) },
    { id: 'seq', header: '#', width: '100px', hidden: true, cell: (row) => <span className="num">{row.seq}</span> },
  ]
  return (
    <DataList<HistoryRow>
      page="ledger.history"
      label={t('history')}
      path={historyPath(variantId)}
      columns={columns}
      fixed={siteId ? { site_id: siteId } : {}}
      rowId={(row) => `${row.seq}-${row.posting_id}-${row.quantity}-${row.balance}-${row.location_code}-${row.lot_code ?? ''}`}
      onOpen={(row) => open(row.posting_id)}
      empty={<Empty title={t('noHistory')} icon="clock" />}
    />
  )
}
