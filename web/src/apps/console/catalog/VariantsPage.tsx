import { Badge, Button } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'

import { api } from '../../../api/client'
import { useMay } from '../../../api/session'
import type { Category, Page as Paged, Variant } from '../../../api/types'
import { Go } from '../../../ui/Go'
import { DataList } from '../../../ui/datalist/DataList'
import type { BulkResult, Column } from '../../../ui/datalist/logic'
import { listKey } from '../../../ui/datalist/useListData'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { MoneyText } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { catalogTexts } from './texts'

/** The list every other list is modelled on: columns, filters, bulk edit, an action on a selection. */
export function VariantsPage() {
  const t = useTexts(catalogTexts)
  const s = useShared()
  const word = useWord(words)
  const may = useMay()
  const navigate = useNavigate()
  const client = useQueryClient()
  const categories = useQuery({ queryKey: ['categories'], queryFn: () => api.get<Paged<Category>>('/v1/categories', { query: { limit: 200 } }), staleTime: 300_000 })
  const options = (categories.data?.data ?? []).map((category) => ({ value: category.id, label: category.path || category.name }))

  const columns: Column<Variant>[] = [
    { id: 'sku', header: s('sku'), width: '150px', narrow: 'corner', cell: (row) => <span className="mono">{row.sku}</span> },
    {
      id: 'name',
      header: s('name'),
      width: 'minmax(240px, 3fr)',
      narrow: 'title',
      cell: (row) => (
        <Go className="plain" href={paths.variant(row.id)} tabIndex={-1}>
          {row.name} {row.archived_at ? <Badge color="gray">{t('archived')}</Badge> : null}
        </Go>
      ),
    },
    { id: 'category', header: s('category'), width: 'minmax(130px, 1fr)', cell: (row) => row.category_name ?? '–' },
    { id: 'unit', header: s('unit'), width: '80px', cell: (row) => row.unit },
    { id: 'list_price', header: t('listPrice'), width: '110px', align: 'right', cell: (row) => <MoneyText value={row.list_price} /> },
    ...(may('costs:read') ? [{ id: 'cost', header: s('cost'), width: '110px', align: 'right' as const, hidden: true, cell: (row: Variant) => <MoneyText value={row.cost} /> }] : []),
    { id: 'tracking', header: t('tracking'), width: '130px', hidden: true, cell: (row) => word(row.tracking) },
    { id: 'barcodes', header: t('barcodes'), width: '160px', cell: (row) => <span className="mono">{row.barcodes[0]?.code ?? '–'}{row.barcodes.length > 1 ? ` +${row.barcodes.length - 1}` : ''}</span> },
    { id: 'external_id', header: t('externalId'), hidden: true, cell: (row) => row.external_id ?? '–' },
  ]
  const archive = async (rows: Variant[], done: () => void) => {
    for (const row of rows) await api.post('/v1/variants/{id}/archive', {}, { path: { id: row.id } })
    notifyDone(t('archivedDone', { count: rows.length }))
    done()
    await client.invalidateQueries({ queryKey: listKey('/v1/variants') })
  }
  const writable = may('catalog:write')
  return (
    <Page title={t('title')} lead={t('lead')} fill testId="page-variants">
      <DataList<Variant>
        page="catalog.variants"
        label={t('title')}
        path="/v1/variants"
        columns={columns}
        filters={[
          { param: 'q', label: s('search'), kind: 'text', placeholder: t('searchHint') },
          { param: 'category_id', label: s('category'), kind: 'choice', options },
          { param: 'archived', label: t('showArchived'), kind: 'flag' },
        ]}
        rowId={(row) => row.id}
        onOpen={(row) => void navigate({ href: paths.variant(row.id) })}
        live={['variant.changed', 'variant.merged', 'catalog.imported']}
        bulk={
          writable
            ? {
                fields: [
                  { name: 'category_id', label: s('category'), kind: 'choice', options },
                  { name: 'list_price', label: t('listPrice'), kind: 'decimal' },
                ],
                run: (ids, changes, preview) => api.post<BulkResult>('/v1/variants/bulk', { ids, changes, preview }),
              }
            : undefined
        }
        actions={writable ? [{ id: 'archive', label: t('archive'), run: (rows, done) => void archive(rows, done) }] : []}
        empty={
          <Empty title={t('empty')} icon="tag" action={may('imports:write') ? <Button component="a" href={paths.imports()}>{t('toImport')}</Button> : undefined}>
            {t('importFirst')}
          </Empty>
        }
      />
    </Page>
  )
}
