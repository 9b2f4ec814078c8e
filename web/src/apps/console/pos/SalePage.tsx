import { Badge, Button, Group, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useLive } from '../../../api/live'
import { readAll } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { Posting, SaleDetail } from '../../../api/types'
import css from '../../../ui/detail.module.css'
import { listKey } from '../../../ui/datalist/useListData'
import { Facts, Panel } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { MoneyText, Quantity, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { ReasonDialog } from '../../../ui/ReasonForm'
import { Loading, Problem } from '../../../ui/states'
import { sign } from '../../../values/decimal'
import { paths } from '../../../values/paths'
import { uuid7 } from '../../../values/uuid7'
import { RefundDialog } from './RefundDialog'
import { SaleState } from './SaleState'
import { posTexts } from './texts'

export function SalePage() {
  const t = useTexts(posTexts)
  const { id = '' } = useParams({ strict: false })
  const client = useQueryClient()
  const key = ['sale', id]
  const sale = useQuery({ queryKey: key, queryFn: () => api.get<SaleDetail>('/v1/sales/{id}', { path: { id } }) })
  useLive(['sale.refunded', 'sale.voided'], (events) => {
    if (events.some((event) => event.data.sale_id === id)) void client.invalidateQueries({ queryKey: key })
  })
  if (!sale.data) return <Page title={t('title')}>{sale.error ? <Problem error={sale.error} retry={() => void sale.refetch()} /> : <Loading />}</Page>
  return <SaleView sale={sale.data} again={() => Promise.all([client.invalidateQueries({ queryKey: key }), client.invalidateQueries({ queryKey: ['sale-postings', id] }), client.invalidateQueries({ queryKey: listKey('/v1/sales') })])} />
}

function SaleView({ sale, again }: { sale: SaleDetail; again: () => Promise<unknown> }) {
  const t = useTexts(posTexts)
  const s = useShared()
  const word = useWord(posTexts)
  const may = useMay()
  const [doing, setDoing] = useState<'refund' | 'void' | null>(null)
  // One id for this void, however often it is sent.
  const [voidId] = useState(() => uuid7())
  const number = sale.number ?? t('noNumber')
  const allowed = may('pos:refund', sale.site_id) ? sale.can : []
  const money = (amount: string) => <MoneyText value={{ amount, currency: sale.currency }} />
  return (
    <Page
      title={t(sale.refund_of ? 'refundTitle' : 'sale', { number })}
      testId="page-sale"
      lead={
        <Group gap="xs">
          <SaleState sale={sale} />
          <When at={sale.happened_at} />
          <span>
            {sale.site_code} · {sale.register}
          </span>
        </Group>
      }
      actions={
        <>
          {allowed.includes('refund') ? (
            <Button variant="default" leftSection={<Icon name="undo" size={16} />} onClick={() => setDoing('refund')} data-testid="refund">
              {t('refund')}
            </Button>
          ) : null}
          {allowed.includes('void') ? (
            <Button variant="default" leftSection={<Icon name="close" size={16} />} onClick={() => setDoing('void')} data-testid="void">
              {t('void')}
            </Button>
          ) : null}
        </>
      }
    >
      <div className={css.columns}>
        <div className={css.stack}>
          <Panel title={t('lines')} id="sale-lines">
            <Lines sale={sale} />
            <dl className={css.sums}>
              {sign(sale.discount) !== 0 ? (
                <>
                  <dt>{t('discount')}</dt>
                  <dd>{money(sale.discount)}</dd>
                </>
              ) : null}
              <dt>{t('net')}</dt>
              <dd>{money(sale.net)}</dd>
              <dt>{s('tax')}</dt>
              <dd>{money(sale.tax)}</dd>
              <dt className={css.total}>{s('total')}</dt>
              <dd className={css.total}>{money(sale.total)}</dd>
            </dl>
          </Panel>
          {may('stock:read', sale.site_id) ? <Postings sale={sale} /> : null}
        </div>
        <div className={css.stack}>
          <Panel title={t('tenders')} id="sale-tenders">
            {sale.tenders.length ? (
              <table className={css.rows}>
                <tbody>
                  {sale.tenders.map((tender, index) => (
                    <tr key={index}>
                      <th scope="row">
                        {word(tender.kind)}
                        {tender.reference ? <Text size="xs" c="dimmed">{tender.reference}</Text> : null}
                      </th>
                      <td className={css.n}>{money(tender.amount)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            ) : (
              <Text c="dimmed" size="sm">{t('noTenders')}</Text>
            )}
          </Panel>
          <Panel title={t('about')} id="sale-about">
            <Facts
              facts={[
                [t('happened'), <When key="h" at={sale.happened_at} />],
                [t('recorded'), <When key="r" at={sale.recorded_at} />],
                [s('site'), sale.site_code],
                [t('register'), sale.register],
                [t('refundOf'), sale.refund_of ? <Go href={paths.sale(sale.refund_of)}>{t('toSale')}</Go> : null],
                [t('refunds'), sale.refunds.length ? sale.refunds.map((refund, index) => <div key={refund}><Go href={paths.sale(refund)}>{t('toRefund', { count: index + 1 })}</Go></div>) : null],
                ['Id', <span key="id" className="mono">{sale.id}</span>],
              ]}
            />
          </Panel>
        </div>
      </div>
      <ReasonDialog
        title={t('voidTitle')}
        hint={t('voidHint')}
        label={t('voidReason')}
        submit={t('voidSubmit')}
        danger
        opened={doing === 'void'}
        onClose={() => setDoing(null)}
        run={async (reason) => {
          await api.post('/v1/pos/voids', { id: voidId, sale_id: sale.id, reason })
          notifyDone(t('voided'))
          await again()
        }}
      />
      {doing === 'refund' ? <RefundDialog sale={sale} onClose={() => setDoing(null)} onDone={again} /> : null}
    </Page>
  )
}

function Lines({ sale }: { sale: SaleDetail }) {
  const t = useTexts(posTexts)
  const s = useShared()
  const formats = useFormats()
  const money = (amount: string) => <MoneyText value={{ amount, currency: sale.currency }} />
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t('lines')}>
      <table className={css.rows} data-testid="sale-lines">
        <thead>
          <tr>
            <th scope="col">{t('item')}</th>
            <th scope="col" className={css.n}>{s('quantity')}</th>
            <th scope="col" className={css.n}>{t('unitPrice')}</th>
            <th scope="col" className={css.n}>{t('discount')}</th>
            <th scope="col" className={css.n}>{t('lineTotal')}</th>
          </tr>
        </thead>
        <tbody>
          {sale.lines.map((line) => (
            <tr key={line.line}>
              <td style={{ minWidth: 150 }}>
                {line.name || line.sku}
                <Text size="xs" c="dimmed" component="div">
                  {line.variant_id ? (
                    <Go className="mono" href={paths.variant(line.variant_id, { site_id: sale.site_id })}>
                      {line.sku}
                    </Go>
                  ) : (
                    <span className="mono">{line.sku}</span>
                  )}
                  {line.lot_code ? ` · ${line.lot_code}` : ''}
                  {line.serial_number ? ` · ${line.serial_number}` : ''}
                </Text>
                {line.resolved ? null : <Badge color="amber">{t('unresolved')}</Badge>}
                {sign(line.refunded) > 0 ? <Badge color="gray">{t('refundedPart', { quantity: formats.quantity(line.refunded) })}</Badge> : null}
              </td>
              <td className={css.n}><Quantity value={line.quantity} unit={line.unit ?? undefined} /></td>
              <td className={css.n}>{sale.refund_of ? '–' : money(line.unit_price)}</td>
              <td className={css.n}>{sign(line.discount) === 0 ? '–' : money(line.discount)}</td>
              <td className={css.n}>{money(line.total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** What the sale, its refund or its void wrote into the ledger. */
function Postings({ sale }: { sale: SaleDetail }) {
  const t = useTexts(posTexts)
  const word = useWord(words)
  const found = useQuery({ queryKey: ['sale-postings', sale.id], queryFn: () => readAll<Posting>('/v1/postings', { source_id: sale.id }, 200) })
  return (
    <Panel title={t('postings')} id="sale-postings">
      {found.error ? (
        <Problem error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <Loading />
      ) : !found.data.length ? (
        <Text c="dimmed" size="sm">{t('noPostings')}</Text>
      ) : (
        <table className={css.rows}>
          <tbody>
            {found.data.map((posting) => (
              <tr key={posting.id}>
                <th scope="row">
                  <Go href={paths.posting(posting.id)}>
                    {word(posting.kind)} <span className="mono">#{posting.seq}</span>
                  </Go>
                </th>
                <td>{posting.lines.map((line) => `${line.sku}: ${line.from.code} → ${line.to.code}`).join(', ')}</td>
                <td className={css.n}><When at={posting.recorded_at} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  )
}
