import { Button, SegmentedControl } from '@mantine/core'
import { useQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'

import { useLive } from '../../../api/live'
import { readAll, useSites } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { Category, LevelChanged, MatrixRow, Page as Paged } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { listKey } from '../../../ui/datalist/useListData'
import { Go } from '../../../ui/Go'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { Quantity } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty } from '../../../ui/states'
import { useUrl } from '../../../ui/url'
import { paths } from '../../../values/paths'
import { applyLevels } from './matrix'
import { ledgerTexts } from './texts'

const PATH = '/v1/stock-matrix'
type Measure = 'on_hand' | 'available' | 'reserved'

export function StockPage() {
  const t = useTexts(ledgerTexts)
  const s = useShared()
  const may = useMay()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [search, change] = useUrl()
  const measure: Measure = search.show === 'available' || search.show === 'reserved' ? search.show : 'on_hand'
  const sites = useSites()
  const categories = useQuery({ queryKey: ['categories'], queryFn: () => readAll<Category>('/v1/categories'), staleTime: 300_000 })

  useLive(['stock.level_changed'], (events) => {
    const levels = events.map((event) => event.data as unknown as LevelChanged)
    client.setQueriesData<InfiniteData<Paged<MatrixRow>>>({ queryKey: listKey(PATH) }, (before) => before && applyLevels(before, levels))
  })

  const columns = useMemo<Column<MatrixRow>[]>(
    () => [
      {
        id: 'name',
        header: s('variant'),
        width: 'minmax(230px, 1.6fr)',
        narrow: 'title',
        sticky: true,
        cell: (row) => (
          <Go className="plain clip" href={paths.variant(row.variant_id)} tabIndex={-1}>
            {row.name} <small className="mono" style={{ color: 'var(--mantine-color-dimmed)' }}>{row.sku}</small>
          </Go>
        ),
      },
      { id: 'category', header: s('category'), width: '120px', hidden: true, cell: (row) => row.category_name ?? '–' },
      { id: 'on_hand', header: s('onHand'), width: '70px', align: 'right', narrow: 'corner', cell: (row) => <strong><Quantity value={row.totals.on_hand} flash /></strong> },
      { id: 'available', header: s('available'), width: '70px', align: 'right', cell: (row) => <Quantity value={row.totals.available} flash /> },
      { id: 'reserved', header: s('reserved'), width: '70px', align: 'right', cell: (row) => <Quantity value={row.totals.reserved} flash /> },
      { id: 'on_order', header: s('onOrder'), width: '70px', align: 'right', cell: (row) => <Quantity value={row.totals.on_order} /> },
      { id: 'in_transit', header: s('inTransit'), width: '70px', align: 'right', cell: (row) => <Quantity value={row.totals.in_transit} /> },
      { id: 'unit', header: s('unit'), width: '64px', hidden: true, narrow: 'hide', cell: (row) => row.unit },
      ...sites.map(
        (site): Column<MatrixRow> => ({
          id: `site-${site.code}`,
          header: site.code,
          width: '56px',
          align: 'right',
          narrow: 'hide',
          cell: (row) => (row.sites[site.id] ? <Quantity value={row.sites[site.id]![measure]} flash /> : <span style={{ color: 'var(--mantine-color-dimmed)' }}>·</span>),
        }),
      ),
    ],
    [s, sites, measure],
  )
  return (
    <Page title={t('stockTitle')} lead={t('stockLead')} fill testId="page-stock">
      <DataList<MatrixRow>
        page="ledger.stock"
        label={t('stockTitle')}
        path={PATH}
        columns={columns}
        filters={[
          { param: 'q', label: s('search'), kind: 'text', placeholder: t('searchHint') },
          { param: 'category_id', label: s('category'), kind: 'choice', options: (categories.data ?? []).map((category) => ({ value: category.id, label: category.path || category.name })) },
          { param: 'below', label: t('below'), kind: 'choice', options: [{ value: 'minimum', label: t('belowMinimum') }, { value: 'zero', label: t('belowZero') }] },
        ]}
        tools={
          <SegmentedControl
            value={measure}
            visibleFrom="sm"
            onChange={(next) => change({ show: next === 'on_hand' ? null : next })}
            aria-label={t('show')}
            data={[{ value: 'on_hand', label: s('onHand') }, { value: 'available', label: s('available') }, { value: 'reserved', label: s('reserved') }]}
          />
        }
        rowId={(row) => row.variant_id}
        actions={may('transfers:write') && may('stock:move') ? [{ id: 'transfer', label: t('transferThese'), run: (rows) => void navigate({ href: paths.transfers({ new: '1', variants: rows.map((row) => row.variant_id).join('.') }) }) }] : []}
        onOpen={(row) => void navigate({ href: paths.variant(row.variant_id) })}
        empty={
          <Empty title={t('emptyStock')} action={may('imports:write') ? <Button component={Go} href={paths.imports()}>{t('toImport')}</Button> : undefined}>
            {t('emptyStockHint')}
          </Empty>
        }
      />
    </Page>
  )
}
