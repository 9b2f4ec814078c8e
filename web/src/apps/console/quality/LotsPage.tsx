import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import type { Lot } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { Go } from '../../../ui/Go'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { Quantity, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { DaysLeft, LotState } from './LotState'
import { RulesDrawer } from './RulesDrawer'
import { ruleTexts } from './ruleTexts'
import { ServesDialog } from './ServesDialog'
import { qualityTexts } from './texts'

const STATES = ['sound', 'held', 'recalled', 'expired', 'uncertified'] as const

export function LotsPage() {
  const t = useTexts(qualityTexts)
  const r = useTexts(ruleTexts)
  const [shown, setShown] = useState<'rules' | 'serves' | null>(null)
  const s = useShared()
  const navigate = useNavigate()
  const columns: Column<Lot>[] = [
    {
      id: 'code',
      header: t('code'),
      width: 'minmax(130px, 1.2fr)',
      narrow: 'title',
      cell: (row) => (
        <Go className="plain mono" href={paths.lot(row.id)} tabIndex={-1}>
          {row.code}
        </Go>
      ),
    },
    { id: 'sku', header: s('sku'), width: '120px', cell: (row) => <span className="mono">{row.sku}</span> },
    { id: 'name', header: s('name'), width: 'minmax(150px, 2fr)', cell: (row) => row.name },
    { id: 'state', header: s('state'), width: '130px', narrow: 'corner', cell: (row) => <LotState lot={row} /> },
    { id: 'expires', header: t('expires'), width: '115px', cell: (row) => <When at={row.expires_on} form="date" /> },
    { id: 'left', header: t('left'), width: '105px', cell: (row) => <DaysLeft lot={row} /> },
    { id: 'on_hand', header: s('onHand'), width: '110px', align: 'right', cell: (row) => <Quantity value={row.on_hand} unit={row.unit} /> },
    { id: 'kind', header: s('kind'), width: '130px', hidden: true, cell: (row) => t(row.kind === 'serial' ? 'serialNumber' : 'lot') },
    { id: 'supplier', header: t('supplier'), width: 'minmax(110px, 1fr)', hidden: true, cell: (row) => row.supplier_name ?? '–' },
    { id: 'owner', header: t('owner'), width: 'minmax(110px, 1fr)', hidden: true, cell: (row) => row.owner?.name ?? t('ours') },
    { id: 'made', header: t('made'), width: '115px', hidden: true, cell: (row) => <When at={row.made_on} form="date" /> },
  ]
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      fill
      testId="page-lots"
      actions={
        <>
          <Button variant="default" onClick={() => setShown('serves')} data-testid="show-serves">{r('serves')}</Button>
          <Button variant="default" onClick={() => setShown('rules')} data-testid="show-rules">{r('rules')}</Button>
        </>
      }
    >
      <DataList<Lot>
        page="quality.lots"
        label={t('title')}
        path="/v1/lots"
        columns={columns}
        filters={[
          { param: 'q', label: t('code'), kind: 'text', placeholder: t('searchHint') },
          { param: 'state', label: s('state'), kind: 'choice', options: STATES.map((state) => ({ value: state, label: t(state) })) },
          { param: 'expires_within', label: t('within'), kind: 'choice', options: [0, 7, 14, 30, 90].map((count) => ({ value: String(count), label: t('days', { count }) })) },
          { param: 'kind', label: s('kind'), kind: 'choice', options: [{ value: 'lot', label: t('kindLot') }, { value: 'serial', label: t('kindSerial') }] },
          { param: 'in_stock', label: t('inStock'), kind: 'flag' },
        ]}
        rowId={(row) => row.id}
        onOpen={(row) => void navigate({ href: paths.lot(row.id) })}
        live={['lot.changed', 'lot.recalled', 'lot.expired', 'stock.held', 'stock.released']}
        empty={
          <Empty title={t('empty')} icon="barcode">
            {t('emptyHint')}
          </Empty>
        }
      />
      {shown === 'rules' ? <RulesDrawer onClose={() => setShown(null)} /> : null}
      {shown === 'serves' ? <ServesDialog onClose={() => setShown(null)} /> : null}
    </Page>
  )
}
