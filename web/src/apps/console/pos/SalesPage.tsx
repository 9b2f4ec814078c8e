import { useNavigate } from '@tanstack/react-router'

import { useSites } from '../../../api/places'
import type { SaleSummary } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { Go } from '../../../ui/Go'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { MoneyText, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty } from '../../../ui/states'
import { sign } from '../../../values/decimal'
import { paths } from '../../../values/paths'
import { SaleState } from './SaleState'
import { posTexts } from './texts'

const STATES = ['completed', 'partly_refunded', 'refunded', 'voided'] as const

export function SalesPage() {
  const t = useTexts(posTexts)
  const s = useShared()
  const word = useWord(words)
  const navigate = useNavigate()
  const sites = useSites()
  const money = (amount: string, row: SaleSummary) => <MoneyText value={{ amount, currency: row.currency }} />
  const columns: Column<SaleSummary>[] = [
    { id: 'happened', header: t('happened'), width: '175px', narrow: 'title', cell: (row) => <When at={row.happened_at} /> },
    {
      id: 'number',
      header: t('number'),
      width: 'minmax(110px, 1fr)',
      cell: (row) => (
        <Go className="plain mono" href={paths.sale(row.id)} tabIndex={-1}>
          {row.number ?? `…${row.id.slice(-8)}`}
        </Go>
      ),
    },
    { id: 'site', header: s('site'), width: '70px', cell: (row) => row.site_code },
    { id: 'register', header: t('register'), width: '100px', cell: (row) => row.register },
    { id: 'units', header: t('units'), width: '60px', align: 'right', cell: (row) => <span className="num">{row.units}</span> },
    { id: 'lines', header: t('lines'), width: '70px', align: 'right', hidden: true, cell: (row) => <span className="num">{row.line_count}</span> },
    { id: 'total', header: s('total'), width: '100px', align: 'right', narrow: 'corner', cell: (row) => money(row.total, row) },
    { id: 'tax', header: s('tax'), width: '100px', align: 'right', hidden: true, cell: (row) => money(row.tax, row) },
    { id: 'discount', header: t('discount'), width: '90px', align: 'right', narrow: 'hide', cell: (row) => (sign(row.discount) ? money(row.discount, row) : '–') },
    { id: 'state', header: s('state'), width: '135px', cell: (row) => <SaleState sale={row} /> },
    { id: 'recorded', header: t('recorded'), width: '190px', hidden: true, cell: (row) => <When at={row.recorded_at} /> },
  ]
  return (
    <Page title={t('title')} lead={t('lead')} fill testId="page-sales">
      <DataList<SaleSummary>
        page="pos.sales"
        label={t('title')}
        path="/v1/sales"
        columns={columns}
        filters={[
          { param: 'q', label: t('number'), kind: 'text', placeholder: t('searchHint') },
          { param: 'site_id', label: s('site'), kind: 'choice', options: sites.map((site) => ({ value: site.id, label: `${site.code} · ${site.name}` })) },
          { param: 'state', label: s('state'), kind: 'choice', options: STATES.map((state) => ({ value: state, label: word(state) })) },
          { param: 'happened_after', label: t('after'), kind: 'date' },
        ]}
        rowId={(row) => row.id}
        onOpen={(row) => void navigate({ href: paths.sale(row.id) })}
        live={['sale.completed', 'sale.refunded', 'sale.voided']}
        empty={
          <Empty title={t('empty')} icon="sale">
            {t('emptyHint')}
          </Empty>
        }
      />
    </Page>
  )
}
