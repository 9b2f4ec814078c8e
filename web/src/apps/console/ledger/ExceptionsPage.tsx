import { Badge } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useSites } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { ExceptionRow } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { listKey } from '../../../ui/datalist/useListData'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { Quantity, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { ReasonDialog } from '../../../ui/ReasonForm'
import { Empty } from '../../../ui/states'
import { deskTexts } from './deskTexts'
import { ExceptionDrawer } from './ExceptionDrawer'

const KINDS = ['oversold', 'unresolved_item', 'over_receipt', 'short_receipt', 'drift', 'held_stock_sold', 'serial_already_used', 'serial_unknown', 'lot_overdrawn'] as const
const RESOLVE = '/v1/exceptions/{id}/resolve'

export function ExceptionsPage() {
  const t = useTexts(deskTexts)
  const s = useShared()
  const word = useWord(words)
  const may = useMay()
  const client = useQueryClient()
  const sites = useSites()
  const [open, setOpen] = useState<ExceptionRow | null>(null)
  const [many, setMany] = useState<{ rows: ExceptionRow[]; done: () => void } | null>(null)
  const again = () => client.invalidateQueries({ queryKey: listKey('/v1/exceptions') })
  const columns: Column<ExceptionRow>[] = [
    { id: 'opened', header: t('happenedAt'), width: '175px', cell: (row) => <When at={row.opened_at} /> },
    { id: 'kind', header: t('kind'), width: '150px', narrow: 'title', cell: (row) => word(row.kind) },
    { id: 'what', header: t('what'), width: 'minmax(180px, 2fr)', cell: (row) => (row.name ? `${row.name} (${row.sku})` : String(row.detail.code ?? '–')) },
    { id: 'site', header: s('site'), width: '80px', cell: (row) => row.site_code ?? '–' },
    { id: 'quantity', header: s('quantity'), width: '110px', align: 'right', cell: (row) => (row.quantity ? <Quantity value={row.quantity} unit={row.unit ?? undefined} /> : <Quantity value={typeof row.detail.quantity === 'string' ? row.detail.quantity : null} />) },
    { id: 'by', header: t('by'), width: 'minmax(110px, 1fr)', hidden: true, cell: (row) => row.actor.name },
    { id: 'state', header: s('state'), width: '110px', narrow: 'corner', cell: (row) => <Badge color={row.state === 'open' ? 'amber' : 'gray'}>{word(row.state)}</Badge> },
    { id: 'resolution', header: t('resolution'), width: 'minmax(140px, 1fr)', hidden: true, cell: (row) => row.resolution ?? '–' },
  ]
  return (
    <Page title={t('exceptions')} lead={t('exceptionsLead')} fill testId="page-exceptions">
      <DataList<ExceptionRow>
        page="ledger.exceptions"
        label={t('exceptions')}
        path="/v1/exceptions"
        columns={columns}
        filters={[
          { param: 'state', label: s('state'), kind: 'choice', options: [{ value: 'open', label: t('stateOpen') }, { value: 'resolved', label: t('stateResolved') }] },
          { param: 'kind', label: t('kind'), kind: 'choice', options: KINDS.map((kind) => ({ value: kind, label: word(kind) })) },
          { param: 'site_id', label: s('site'), kind: 'choice', options: sites.map((site) => ({ value: site.id, label: `${site.code} · ${site.name}` })) },
        ]}
        rowId={(row) => row.id}
        onOpen={setOpen}
        live={['stock.oversold', 'stock.drifted', 'sale.completed', 'exception.resolved']}
        actions={may('exceptions:resolve') ? [{ id: 'resolve', label: t('resolve'), run: (rows, done) => setMany({ rows: rows.filter((row) => row.can.includes('resolve')), done }) }] : []}
        empty={
          <Empty title={t('noExceptions')} icon="check">
            {t('noExceptionsHint')}
          </Empty>
        }
      />
      <ExceptionDrawer row={open} onClose={() => setOpen(null)} onDone={again} />
      <ReasonDialog
        title={t('resolveMany', { count: many?.rows.length ?? 0 })}
        label={t('resolveLabel')}
        submit={t('resolve')}
        opened={many !== null}
        onClose={() => setMany(null)}
        run={async (reason) => {
          if (!many) return
          for (const row of many.rows) await api.post(RESOLVE, { reason }, { path: { id: row.id } })
          notifyDone(t('resolvedCount', { count: many.rows.length }))
          many.done()
          await again()
        }}
      />
    </Page>
  )
}
