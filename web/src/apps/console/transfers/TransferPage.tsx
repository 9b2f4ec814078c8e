import { Badge, Button, Group, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useLive } from '../../../api/live'
import { useMay } from '../../../api/session'
import type { TransferDetail } from '../../../api/types'
import css from '../../../ui/detail.module.css'
import { listKey } from '../../../ui/datalist/useListData'
import { Facts, Panel } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useFormats, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { MoneyText, Quantity, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { ReasonDialog } from '../../../ui/ReasonForm'
import { Loading, Problem } from '../../../ui/states'
import { sign } from '../../../values/decimal'
import { paths } from '../../../values/paths'
import { NewTransfer } from './NewTransfer'
import { ResolveDialog } from './ResolveDialog'
import { StepDialog } from './StepDialog'
import { transferTexts } from './texts'
import { TransferState } from './TransferState'
import own from './transfers.module.css'

const LIVE = ['transfer.placed', 'transfer.shipped', 'transfer.received', 'transfer.resolved', 'transfer.closed']

export function TransferPage() {
  const t = useTexts(transferTexts)
  const { id = '' } = useParams({ strict: false })
  const client = useQueryClient()
  const key = ['transfer', id]
  const transfer = useQuery({ queryKey: key, queryFn: () => api.get<TransferDetail>('/v1/transfers/{transfer_id}', { path: { transfer_id: id } }) })
  useLive(LIVE, (events) => {
    if (events.some((event) => event.data.transfer_id === id)) void client.invalidateQueries({ queryKey: key })
  })
  const again = () => Promise.all([key, ['transfer-totals'], listKey('/v1/transfers')].map((each) => client.invalidateQueries({ queryKey: each })))
  if (!transfer.data) return <Page title={t('title')}>{transfer.error ? <Problem error={transfer.error} retry={() => void transfer.refetch()} /> : <Loading />}</Page>
  return <View transfer={transfer.data} again={again} />
}

type Doing = 'change' | 'ship' | 'receive' | 'resolve' | 'close' | 'cancel'

function View({ transfer, again }: { transfer: TransferDetail; again: () => Promise<unknown> }) {
  const t = useTexts(transferTexts)
  const [doing, setDoing] = useState<Doing | null>(null)
  // A dialog that ends late closes itself, never the one opened meanwhile.
  const shut = (which: Doing) => setDoing((now) => (now === which ? null : now))
  const at = { path: { transfer_id: transfer.id }, ifMatch: transfer.version }
  const place = useMutation({
    mutationFn: () => api.post('/v1/transfers/{transfer_id}/place', {}, at),
    onSuccess: async () => {
      notifyDone(t('placedDone'))
      await again()
    },
  })
  const can = (verb: string) => transfer.can.includes(verb)
  // The next step of the road is the one that is offered most plainly.
  const first = ['receive', 'ship', 'place', 'resolve'].find(can)
  const button = (verb: Doing | 'place', icon: 'truck' | 'check' | 'import' | 'undo' | 'close' | 'approve' | 'edit') =>
    can(verb) ? (
      <Button variant={verb === first ? 'filled' : 'default'} leftSection={<Icon name={icon} size={16} />} loading={verb === 'place' && place.isPending} onClick={() => (verb === 'place' ? place.mutate() : setDoing(verb))} data-testid={`do-${verb}`}>
        {t(verb)}
      </Button>
    ) : null
  return (
    <Page
      title={t('transfer', { number: transfer.number })}
      testId="page-transfer"
      lead={
        <Group gap="xs">
          <TransferState transfer={transfer} />
          <span>
            {transfer.from_site_code} · {transfer.from_site_name} → {transfer.to_site_code} · {transfer.to_site_name}
          </span>
        </Group>
      }
      actions={
        <>
          {button('receive', 'import')}
          {button('ship', 'truck')}
          {button('place', 'approve')}
          {transfer.state === 'draft' ? button('change', 'edit') : null}
          {button('resolve', 'check')}
          {button('close', 'close')}
          {button('cancel', 'close')}
        </>
      }
    >
      {place.error ? <Problem error={place.error} /> : null}
      <div className={css.columns}>
        <div className={css.stack}>
          <Panel title={t('lines')} id="transfer-lines">
            <Lines transfer={transfer} />
          </Panel>
          <Panel title={t('story')} id="transfer-story">
            <Story transfer={transfer} />
          </Panel>
        </div>
        <div className={css.stack}>
          <Panel title={t('about')} id="transfer-about">
            <About transfer={transfer} />
          </Panel>
        </div>
      </div>
      {doing === 'ship' || doing === 'receive' ? <StepDialog step={doing} transfer={transfer} onClose={() => shut(doing)} onDone={again} /> : null}
      {doing === 'change' ? <NewTransfer draft={transfer} onClose={() => shut('change')} /> : null}
      {doing === 'resolve' ? <ResolveDialog transfer={transfer} onClose={() => shut('resolve')} onDone={again} /> : null}
      {(['close', 'cancel'] as const).map((verb) => (
        <ReasonDialog
          key={verb}
          title={t(verb === 'close' ? 'closeTitle' : 'cancelTitle')}
          hint={t(verb === 'close' ? 'closeHint' : 'cancelHint')}
          label={t('reasonLabel')}
          submit={t(verb)}
          danger
          optional
          opened={doing === verb}
          onClose={() => setDoing(null)}
          run={async (reason) => {
            await api.post(`/v1/transfers/{transfer_id}/${verb}`, reason ? { reason } : {}, at)
            notifyDone(t(verb === 'close' ? 'closedDone' : 'cancelledDone'))
            await again()
          }}
        />
      ))}
    </Page>
  )
}

function About({ transfer }: { transfer: TransferDetail }) {
  const t = useTexts(transferTexts)
  return (
    <Facts
      facts={[
        [t('inTransitUnits'), <Quantity key="u" value={transfer.in_transit_units} />],
        [t('value'), transfer.in_transit_value && sign(transfer.in_transit_value.amount) ? <MoneyText key="v" value={transfer.in_transit_value} /> : null],
        [t('arrived'), `${transfer.progress} %`],
        [t('expected'), transfer.expected_at ? <When key="e" at={transfer.expected_at} form="date" /> : null],
        [t('claims'), t(transfer.reserves ? 'yes' : 'no')],
        [t('created'), <When key="c" at={transfer.created_at} />],
        [t('placedAt'), transfer.placed_at ? <When key="p" at={transfer.placed_at} /> : null],
        [t('shippedAt'), transfer.shipped_at ? <When key="s" at={transfer.shipped_at} /> : null],
        [t('noteLabel'), transfer.note],
        ['Id', <span key="id" className="mono">{transfer.id}</span>],
      ]}
    />
  )
}

function Lines({ transfer }: { transfer: TransferDetail }) {
  const t = useTexts(transferTexts)
  const formats = useFormats()
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t('lines')}>
      <table className={css.rows} data-testid="transfer-lines">
        <thead>
          <tr>
            <th scope="col">{t('item')}</th>
            <th scope="col" className={css.n}>{t('requested')}</th>
            <th scope="col" className={css.n}>{t('onTheWay')}</th>
            <th scope="col" className={css.n}>{t('good')}</th>
            <th scope="col" className={css.n}>{t('toShip')}</th>
          </tr>
        </thead>
        <tbody>
          {transfer.lines.map((line) => {
            const ends = ([['damaged', 'damagedCount', 'brick'], ['lost', 'lostCount', 'brick'], ['returned', 'returnedCount', 'gray'], ['dropped', 'dropped', 'gray']] as const).filter(([name]) => sign(line[name]) > 0)
            return (
              <tr key={line.id} data-testid={`line-${line.sku}`}>
                <td style={{ minWidth: 140 }}>
                  {line.name}
                  <Text size="xs" c="dimmed" component="div">
                    <Go className="mono" href={paths.variant(line.variant_id, { site_id: transfer.to_site_id })}>{line.sku}</Go>
                    {line.lots.some((lot) => lot.lot_code) ? ` · ${line.lots.map((lot) => lot.lot_code ?? '–').join(', ')}` : line.lot_code ? ` · ${line.lot_code}` : ''}
                    {sign(line.claimed) > 0 ? ` · ${t('claimed', { quantity: formats.quantity(line.claimed) })}` : ''}
                  </Text>
                  {ends.map(([name, text, colour]) => (
                    <Badge key={name} color={colour} mr={4}>{t(text, { quantity: formats.quantity(line[name]) })}</Badge>
                  ))}
                </td>
                <td className={css.n}><Quantity value={line.requested} unit={line.unit} /></td>
                <td className={css.n}><Quantity value={line.in_transit} /></td>
                <td className={css.n}><Quantity value={line.received} /></td>
                <td className={css.n}><Quantity value={line.to_ship} /></td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

const POSTED = new Set(['shipment', 'receipt', 'resolution'])

function Story({ transfer }: { transfer: TransferDetail }) {
  const t = useTexts(transferTexts)
  const formats = useFormats()
  const may = useMay()
  return (
    <ol className={own.story} data-testid="story">
      {transfer.steps.map((step) => (
        <li key={step.id}>
          <strong>{step.actor.name}</strong> {t(`step_${step.kind}`)} <Text span size="xs" c="dimmed"><When at={step.happened_at} /></Text>
          {POSTED.has(step.kind) && may('stock:read') ? <> · <Go href={paths.posting(step.id)}>{t('posting')}</Go></> : null}
          {step.lines.map((line, index) => (
            <div key={index}>
              <span className="mono">{line.sku}</span>: {t(`does_${line.outcome}`, { quantity: `${formats.quantity(line.quantity)} ${line.unit}` })}
              {line.lot_code ? ` · ${line.lot_code}` : ''}
              {line.place ? <Text span size="xs" c="dimmed"> · {line.place}</Text> : null}
              {line.over && line.outcome !== 'found' ? <Badge color="amber" ml={6}>{t('over')}</Badge> : null}
            </div>
          ))}
          {step.note ? <Text size="sm" c="dimmed">{step.note}</Text> : null}
        </li>
      ))}
    </ol>
  )
}
