import { SegmentedControl } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'

import { useSites } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { CountCorrection, OverrideRow, ShrinkageRow } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column, Filter } from '../../../ui/datalist/logic'
import { useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { MoneyText, Quantity, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty } from '../../../ui/states'
import { useUrl } from '../../../ui/url'
import { paths } from '../../../values/paths'
import { reportTexts } from './texts'

const REPORTS = [['shrinkage', 'costs:read'], ['overrides', 'stock:approve'], ['corrections', 'stock:read']] as const

/** Shrinkage at cost, overrides by person, and what late facts did to counts: each a list with its export. */
export function ReportsPage() {
  const t = useTexts(reportTexts)
  const may = useMay()
  const [search, change] = useUrl()
  const open = REPORTS.filter(([, permission]) => may(permission))
  const report = open.find(([name]) => name === search.report)?.[0] ?? open[0]?.[0]
  const tools = open.length > 1 && report ? <SegmentedControl value={report} onChange={(next) => change({ report: next, cols: null, sort: null, view: null })} aria-label={t('report')} data={open.map(([name]) => ({ value: name, label: t(name) }))} /> : undefined
  return (
    <Page title={t('reports')} lead={t('reportsLead')} fill testId="page-count-reports" actions={tools}>
      {report === 'shrinkage' ? <Shrinkage /> : null}
      {report === 'overrides' ? <Overrides /> : null}
      {report === 'corrections' ? <Corrections /> : null}
    </Page>
  )
}

function useFilters(): Filter[] {
  const t = useTexts(reportTexts)
  const sites = useSites()
  return [{ param: 'site_id', label: t('place'), kind: 'choice', options: sites.map((site) => ({ value: site.id, label: `${site.code} · ${site.name}` })) }]
}

function Shrinkage() {
  const t = useTexts(reportTexts)
  const word = useWord(words)
  const filters = useFilters()
  const columns: Column<ShrinkageRow>[] = [
    { id: 'period', header: t('period'), width: '110px', narrow: 'title', cell: (row) => <When at={`${row.period}T12:00:00Z`} form="date" /> },
    { id: 'site', header: t('place'), width: '70px', cell: (row) => row.site_code },
    { id: 'category', header: t('category'), width: 'minmax(110px, 2fr)', cell: (row) => row.category_name ?? '–' },
    { id: 'reason', header: t('reason'), width: 'minmax(110px, 1fr)', cell: (row) => (row.reason === 'reversal' ? t('reversal') : word(row.reason)) },
    { id: 'lines', header: t('lines'), width: '60px', align: 'right', cell: (row) => <span className="num">{row.lines}</span> },
    { id: 'lost', header: t('lost'), width: '105px', align: 'right', cell: (row) => <MoneyText value={{ amount: row.lost, currency: row.currency }} /> },
    { id: 'found', header: t('found'), width: '105px', align: 'right', cell: (row) => <MoneyText value={{ amount: row.found, currency: row.currency }} /> },
    { id: 'net', header: t('net'), width: '110px', align: 'right', narrow: 'corner', cell: (row) => <MoneyText value={{ amount: row.net, currency: row.currency }} /> },
    { id: 'unpriced', header: t('unpriced'), width: '110px', align: 'right', hidden: true, cell: (row) => <span className="num">{row.unpriced_lines}</span> },
  ]
  const periods = (['day', 'week', 'month', 'year'] as const).map((period) => ({ value: period, label: t(period) }))
  return (
    <DataList<ShrinkageRow>
      page="counting.shrinkage"
      label={t('shrinkage')}
      path="/v1/counting/shrinkage"
      columns={columns}
      filters={[...filters, { param: 'period', label: t('period'), kind: 'choice', options: periods }]}
      rowId={(row) => `${row.period}/${row.site_id}/${row.category_id ?? ''}/${row.reason}`}
      live={['stock.adjusted']}
      empty={<Nothing />}
    />
  )
}

function Overrides() {
  const t = useTexts(reportTexts)
  const filters = useFilters()
  const columns: Column<OverrideRow>[] = [
    { id: 'person', header: t('person'), width: 'minmax(140px, 2fr)', narrow: 'title', cell: (row) => row.actor.name || '–' },
    { id: 'site', header: t('place'), width: '100px', narrow: 'corner', cell: (row) => row.site_code },
    { id: 'adjustments', header: t('adjustments'), width: '105px', align: 'right', cell: (row) => <span className="num">{row.adjustments}</span> },
    { id: 'sets', header: t('stockSets'), width: '90px', align: 'right', cell: (row) => <span className="num">{row.stock_sets}</span> },
    { id: 'adjusted', header: t('adjusted'), width: '115px', align: 'right', cell: (row) => <MoneyText value={{ amount: row.adjusted, currency: row.currency }} /> },
    { id: 'approved', header: t('approved'), width: '125px', align: 'right', cell: (row) => <span className="num">{row.counts_approved}</span> },
    { id: 'over', header: t('over'), width: '125px', align: 'right', cell: (row) => <span className={`num${row.over_tolerance ? ' warn' : ''}`}>{row.over_tolerance}</span> },
    { id: 'value', header: t('approvedValue'), width: '120px', align: 'right', cell: (row) => <MoneyText value={{ amount: row.approved, currency: row.currency }} /> },
  ]
  return <DataList<OverrideRow> page="counting.overrides" label={t('overrides')} path="/v1/counting/overrides" columns={columns} filters={filters} rowId={(row) => `${row.actor.id}/${row.site_id}`} empty={<Nothing />} />
}

function Corrections() {
  const t = useTexts(reportTexts)
  const filters = useFilters()
  const navigate = useNavigate()
  const columns: Column<CountCorrection>[] = [
    { id: 'arrived', header: t('arrived'), width: '165px', cell: (row) => <When at={row.recorded_at} /> },
    { id: 'name', header: 'SKU', width: 'minmax(150px, 2fr)', narrow: 'title', cell: (row) => `${row.name} (${row.sku})` },
    { id: 'place', header: t('place'), width: 'minmax(110px, 1fr)', cell: (row) => row.location_path },
    { id: 'countedAt', header: t('countedAt'), width: '165px', cell: (row) => <When at={row.happened_at} /> },
    { id: 'counted', header: t('counted'), width: '90px', align: 'right', cell: (row) => <Quantity value={row.counted} /> },
    { id: 'variance', header: t('variance'), width: '100px', align: 'right', cell: (row) => <Quantity value={row.variance} signed /> },
    { id: 'correction', header: t('correction'), width: '100px', align: 'right', narrow: 'corner', cell: (row) => <Quantity value={row.quantity} signed /> },
  ]
  return (
    <DataList<CountCorrection>
      page="counting.corrections"
      label={t('corrections')}
      path="/v1/counting/corrections"
      columns={columns}
      filters={filters}
      rowId={(row) => row.posting_id}
      onOpen={(row) => void navigate({ href: paths.posting(row.posting_id) })}
      live={['count.corrected']}
      empty={
        <Empty title={t('noneLate')} icon="check">
          {t('noneLateHint')}
        </Empty>
      }
    />
  )
}

function Nothing() {
  const t = useTexts(reportTexts)
  return (
    <Empty title={t('none')} icon="check">
      {t('noneHint')}
    </Empty>
  )
}
