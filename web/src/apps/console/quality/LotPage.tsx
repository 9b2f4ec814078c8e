import { Badge, Button, Group, Modal, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useLive } from '../../../api/live'
import { useMay } from '../../../api/session'
import type { LifeEntry, LotFull, Page as Paged } from '../../../api/types'
import { listKey } from '../../../ui/datalist/useListData'
import css from '../../../ui/detail.module.css'
import { Facts, Panel } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { Quantity, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Loading, Problem } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { Certificate } from './Certificate'
import { HoldDialog } from './HoldDialog'
import { HoldView } from './HoldsPage'
import { DaysLeft, LotState } from './LotState'
import { qualityTexts } from './texts'

export function LotPage() {
  const t = useTexts(qualityTexts)
  const { id = '' } = useParams({ strict: false })
  const client = useQueryClient()
  const lot = useQuery({ queryKey: ['lot', id], queryFn: () => api.get<LotFull>('/v1/lots/{id}', { path: { id } }) })
  const again = () => Promise.all([['lot', id], ['lot-life', id], listKey('/v1/lots')].map((queryKey) => client.invalidateQueries({ queryKey })))
  useLive(['lot.changed', 'lot.expired', 'stock.held', 'stock.released'], (events) => {
    if (events.some((event) => event.data.lot_id === id)) void again()
  })
  if (!lot.data) return <Page title={t('lot')}>{lot.error ? <Problem error={lot.error} retry={() => void lot.refetch()} /> : <Loading />}</Page>
  return <LotView lot={lot.data} again={again} />
}

type Doing = 'hold' | 'recall' | 'edit' | null

function LotView({ lot, again }: { lot: LotFull; again: () => Promise<unknown> }) {
  const t = useTexts(qualityTexts)
  const s = useShared()
  const may = useMay()
  const word = useWord(words)
  const [doing, setDoing] = useState<Doing>(null)
  return (
    <Page
      title={`${t(lot.kind === 'serial' ? 'serialNumber' : 'lot')} ${lot.code}`}
      testId="page-lot"
      lead={
        <Group gap="xs">
          <LotState lot={lot} />
          <Go href={paths.variant(lot.variant_id)}>{lot.name}</Go>
          <span className="mono">{lot.sku}</span>
        </Group>
      }
      actions={
        may('stock:hold') && lot.can.includes('hold') ? (
          <>
            <Button variant="default" leftSection={<Icon name="hold" size={16} />} onClick={() => setDoing('hold')} data-testid="lot-hold">
              {t('hold')}
            </Button>
            <Button color="brick" leftSection={<Icon name="alert" size={16} />} onClick={() => setDoing('recall')} data-testid="lot-recall">
              {t('recall')}
            </Button>
          </>
        ) : null
      }
    >
      <div className={css.columns}>
        <div className={css.stack}>
          {lot.holds.map((hold) => (
            <Panel key={hold.id} title={t('holdsOnIt')} id={`hold-${hold.id}`} actions={<Badge color={hold.condition === 'recalled' ? 'brick' : 'amber'}>{word(hold.condition)}</Badge>}>
              <HoldView id={hold.id} onDone={again} brief />
            </Panel>
          ))}
          <Panel title={t('stock')} id="lot-stock">
            <Stock lot={lot} />
          </Panel>
          <Life id={lot.id} unit={lot.unit} />
        </div>
        <div className={css.stack}>
          <Panel
            title={t('facts')}
            id="lot-facts"
            actions={
              may('lots:write') ? (
                <Button size="xs" variant="default" leftSection={<Icon name="edit" size={14} />} onClick={() => setDoing('edit')} data-testid="lot-edit">
                  {t('edit')}
                </Button>
              ) : null
            }
          >
            <Facts
              facts={[
                [s('onHand'), <Quantity key="q" value={lot.on_hand} unit={lot.unit} />],
                [t('expires'), lot.expires_on ? <span key="e"><When at={lot.expires_on} form="date" /> · <DaysLeft lot={lot} /></span> : t('never')],
                [t('made'), lot.made_on ? <When key="m" at={lot.made_on} form="date" /> : null],
                [t('supplier'), lot.supplier_name],
                [t('owner'), lot.owner?.name ?? t('ours')],
                [t('notes'), lot.notes],
              ]}
            />
          </Panel>
          <Certificate lot={lot} again={again} />
        </div>
      </div>
      {doing === 'hold' || doing === 'recall' ? <HoldDialog lot={lot} condition={doing === 'recall' ? 'recalled' : 'hold'} onClose={() => setDoing(null)} onDone={again} /> : null}
      {doing === 'edit' ? <EditDialog lot={lot} onClose={() => setDoing(null)} onDone={again} /> : null}
    </Page>
  )
}

function Stock({ lot }: { lot: LotFull }) {
  const t = useTexts(qualityTexts)
  const s = useShared()
  const word = useWord(words)
  if (!lot.stock.length) return <Text size="sm" c="dimmed">{t('noStock')}</Text>
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t('stock')}>
      <table className={css.rows} data-testid="lot-stock">
        <thead>
          <tr>
            <th scope="col">{t('place')}</th>
            <th scope="col">{s('condition')}</th>
            <th scope="col" className={css.n}>{s('onHand')}</th>
          </tr>
        </thead>
        <tbody>
          {lot.stock.map((row) => (
            <tr key={`${row.location_id}-${row.condition}`}>
              <th scope="row"><Go className="mono" href={paths.location(row.location_id)}>{row.location_path}</Go></th>
              <td>{word(row.condition)}</td>
              <td className={css.n}><Quantity value={row.on_hand} unit={lot.unit} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Every move that touched it, the newest first. */
function Life({ id, unit }: { id: string; unit: string }) {
  const t = useTexts(qualityTexts)
  const s = useShared()
  const word = useWord(words)
  const found = useInfiniteQuery({
    queryKey: ['lot-life', id],
    queryFn: ({ pageParam }) => api.get<Paged<LifeEntry>>('/v1/lots/{id}/life', { path: { id }, query: { limit: 50, cursor: pageParam } }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })
  const entries = found.data?.pages.flatMap((page) => page.data) ?? []
  const place = (end: LifeEntry['from']) => (end.condition === 'available' ? end.code : `${end.code} (${word(end.condition)})`)
  return (
    <Panel title={t('life')} id="lot-life">
      {found.error ? (
        <Problem error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <Loading />
      ) : !entries.length ? (
        <Text size="sm" c="dimmed">{t('noLife')}</Text>
      ) : (
        <Stack gap="sm">
          <div className={css.scroll} tabIndex={0} role="group" aria-label={t('life')}>
            <table className={css.rows} data-testid="lot-life">
              <thead>
                <tr>
                  <th scope="col">{s('when')}</th>
                  <th scope="col">{s('kind')}</th>
                  <th scope="col">{t('moved')}</th>
                  <th scope="col" className={css.n}>{s('quantity')}</th>
                  <th scope="col">{s('who')}</th>
                </tr>
              </thead>
              <tbody>
                {entries.map((entry) => (
                  <tr key={`${entry.seq}-${entry.from.location_id}-${entry.to.location_id}-${entry.from.condition}`}>
                    <td style={{ whiteSpace: 'nowrap' }}><When at={entry.happened_at} /></td>
                    <td><Go href={paths.posting(entry.posting_id)}>{word(entry.kind)}</Go></td>
                    <td style={{ minWidth: 170 }}>{place(entry.from)} → {place(entry.to)}</td>
                    <td className={css.n}><Quantity value={entry.quantity} unit={unit} /></td>
                    <td>{entry.actor_name}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {found.hasNextPage ? (
            <Button variant="default" size="xs" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()} style={{ alignSelf: 'start' }}>
              {t('lifeOlder')}
            </Button>
          ) : null}
        </Stack>
      )}
    </Panel>
  )
}

function EditDialog({ lot, onClose, onDone }: { lot: LotFull; onClose: () => void; onDone: () => Promise<unknown> }) {
  const t = useTexts(qualityTexts)
  const s = useShared()
  const formats = useFormats()
  const [expires, setExpires] = useState(lot.expires_on ?? '')
  const [made, setMade] = useState(lot.made_on ?? '')
  const [notes, setNotes] = useState(lot.notes)
  const save = useMutation({
    mutationFn: () => api.patch<LotFull>('/v1/lots/{id}', { expires_on: expires || null, made_on: made || null, notes }, { path: { id: lot.id }, ifMatch: lot.version }),
    onSuccess: async () => {
      notifyDone(t('changed'))
      onClose()
      await onDone()
    },
  })
  return (
    <Modal opened onClose={onClose} title={t('editTitle', { what: lot.code })} closeButtonProps={{ 'aria-label': s('close') }}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <Stack gap="sm">
          <TextInput type="date" label={t('expires')} description={t('datesHint')} value={expires} onChange={(event) => setExpires(event.currentTarget.value)} data-testid="lot-expires" lang={formats.locale} />
          <TextInput type="date" label={t('made')} value={made} onChange={(event) => setMade(event.currentTarget.value)} lang={formats.locale} />
          <Textarea label={t('notes')} autosize minRows={2} maxLength={4000} value={notes} onChange={(event) => setNotes(event.currentTarget.value)} />
          {save.error ? <Problem error={save.error} /> : null}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>{s('cancel')}</Button>
            <Button type="submit" loading={save.isPending} data-testid="lot-save">{s('save')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
