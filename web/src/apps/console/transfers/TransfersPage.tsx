import { Button, Text, UnstyledButton } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useLive } from '../../../api/live'
import { useSites } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { TransferRow, TransferTotal } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts } from '../../../ui/i18n/useTexts'
import { MoneyText, Quantity, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty } from '../../../ui/states'
import { useUrl } from '../../../ui/url'
import { paths } from '../../../values/paths'
import { NeedsDialog } from './NeedsDialog'
import { NewTransfer } from './NewTransfer'
import { transferTexts } from './texts'
import { Age, TransferState } from './TransferState'
import css from './transfers.module.css'

const LIVE = ['transfer.placed', 'transfer.shipped', 'transfer.received', 'transfer.resolved', 'transfer.closed'] as const
const STATES = ['open', 'draft', 'placed', 'shipped', 'received', 'cancelled'] as const
const LANES = { draft: 'drafts', placed: 'toShip', shipped: 'onTheWay' } as const

export function TransfersPage() {
  const t = useTexts(transferTexts)
  const s = useShared()
  const may = useMay()
  const navigate = useNavigate()
  const sites = useSites()
  const [search, change] = useUrl()
  const [needs, setNeeds] = useState(false)
  const columns: Column<TransferRow>[] = [
    {
      id: 'number',
      header: t('number'),
      width: '90px',
      narrow: 'title',
      cell: (row) => (
        <Go className="plain mono" href={paths.transfer(row.id)} tabIndex={-1}>
          {row.number}
        </Go>
      ),
    },
    { id: 'route', header: t('route'), width: 'minmax(150px, 1.4fr)', cell: (row) => <span className="clip" title={`${row.from_site_name} → ${row.to_site_name}`}>{row.from_site_code} → {row.to_site_code}</span> },
    { id: 'state', header: s('state'), width: '190px', narrow: 'corner', cell: (row) => <TransferState transfer={row} /> },
    { id: 'lines', header: t('lines'), width: '70px', align: 'right', hidden: true, cell: (row) => <span className="num">{row.line_count}</span> },
    { id: 'in_transit', header: t('inTransitUnits'), width: '90px', align: 'right', cell: (row) => <Quantity value={row.in_transit_units} /> },
    { id: 'value', header: t('value'), width: '100px', align: 'right', narrow: 'hide', cell: (row) => (row.in_transit_value ? <MoneyText value={row.in_transit_value} /> : '–') },
    { id: 'age', header: t('age'), width: '70px', align: 'right', cell: (row) => <Age hours={row.age_hours} /> },
    { id: 'progress', header: t('arrived'), width: '90px', align: 'right', cell: (row) => <span className="num">{row.progress} %</span> },
    { id: 'expected', header: t('expected'), width: '110px', cell: (row) => <When at={row.expected_at} form="date" /> },
    { id: 'created', header: t('created'), width: '170px', hidden: true, cell: (row) => <When at={row.created_at} /> },
    { id: 'note', header: t('noteLabel'), width: 'minmax(120px, 1fr)', hidden: true, cell: (row) => <span className="clip">{row.note ?? ''}</span> },
  ]
  const plan = may('transfers:write') && may('stock:move')
  const siteOptions = sites.map((site) => ({ value: site.id, label: `${site.code} · ${site.name}` }))
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      fill
      testId="page-transfers"
      actions={
        plan ? (
          <>
            <Button variant="default" leftSection={<Icon name="approve" size={16} />} onClick={() => setNeeds(true)} data-testid="from-needs">
              {t('fromNeeds')}
            </Button>
            <Button leftSection={<Icon name="plus" size={16} />} onClick={() => change({ new: '1' })} data-testid="new-transfer">
              {t('newTransfer')}
            </Button>
          </>
        ) : null
      }
    >
      <Lanes siteId={search.site_id} state={search.state} choose={(state) => change({ state: search.state === state ? null : state })} />
      <DataList<TransferRow>
        page="transfers.list"
        label={t('title')}
        path="/v1/transfers"
        columns={columns}
        filters={[
          { param: 'q', label: t('number'), kind: 'text', placeholder: t('searchHint') },
          { param: 'state', label: s('state'), kind: 'choice', options: STATES.map((state) => ({ value: state, label: t(state) })) },
          { param: 'site_id', label: s('site'), kind: 'choice', options: siteOptions },
          { param: 'aged_over_hours', label: t('agedOver'), kind: 'choice', options: ([['24', 'hours24'], ['48', 'hours48'], ['168', 'hours168']] as const).map(([value, key]) => ({ value, label: t(key) })) },
          { param: 'overdue', label: t('onlyOverdue'), kind: 'choice', options: [{ value: 'true', label: s('yes') }] },
        ]}
        rowId={(row) => row.id}
        onOpen={(row) => void navigate({ href: paths.transfer(row.id) })}
        live={LIVE}
        empty={
          <Empty title={t('empty')} icon="truck">
            {t('emptyHint')}
          </Empty>
        }
      />
      {search.new && plan ? <NewTransfer variants={search.variants?.split('.') ?? []} onClose={() => change({ new: null, variants: null })} /> : null}
      {needs ? <NeedsDialog sites={siteOptions} onClose={() => setNeeds(false)} /> : null}
    </Page>
  )
}

/** The open states, side by side: how many, how much is on the way, what is late. A click filters the list. */
function Lanes({ siteId, state, choose }: { siteId?: string; state?: string; choose: (state: string) => void }) {
  const t = useTexts(transferTexts)
  const formats = useFormats()
  const client = useQueryClient()
  const key = ['transfer-totals', siteId ?? '']
  const totals = useQuery({ queryKey: key, queryFn: () => api.get<{ data: TransferTotal[] }>('/v1/transfers/totals', { query: { site_id: siteId } }), refetchInterval: 60_000 })
  useLive(LIVE, () => void client.invalidateQueries({ queryKey: key }))
  return (
    <div className={css.lanes} data-testid="lanes">
      {(totals.data?.data ?? []).map((lane) => (
        <UnstyledButton key={lane.state} className={`card ${css.lane}`} aria-pressed={state === lane.state} onClick={() => choose(lane.state)} data-testid={`lane-${lane.state}`}>
          <span className={css.laneName}>{t(LANES[lane.state as keyof typeof LANES])}</span>
          <span className={css.laneCount}>{formats.count(lane.transfers)}</span>
          <Text span size="xs" c="dimmed">
            {lane.state === 'shipped' ? t('unitsMoving', { count: formats.quantity(lane.in_transit_units) }) : t('totalCount', { count: lane.transfers })}
            {lane.in_transit_value && lane.state === 'shipped' ? ` · ${formats.money(lane.in_transit_value)}` : ''}
          </Text>
          {lane.overdue ? <span className={`${css.late} bad`}>{t('overdueCount', { count: lane.overdue })}</span> : null}
        </UnstyledButton>
      ))}
    </div>
  )
}
