import { Button, Drawer, Group, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useMay } from '../../../api/session'
import type { Reservation, ReservationStep } from '../../../api/types'
import { listKey } from '../../../ui/datalist/useListData'
import { Facts } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { Quantity, When } from '../../../ui/numbers'
import { ReasonForm } from '../../../ui/ReasonForm'
import { Loading, Problem } from '../../../ui/states'
import { sign } from '../../../values/decimal'
import { paths } from '../../../values/paths'
import { uuid7 } from '../../../values/uuid7'
import { keys } from './keys'
import css from './ledger.module.css'
import { ReservationState } from './ReservationState'
import { reservationTexts, reservationWords } from './reservationTexts'

/** One reservation: its lines, until when, and what may be done with it. */
export function ReservationDrawer({ id, onClose }: { id: string | null; onClose: () => void }) {
  const t = useTexts(reservationTexts)
  const s = useShared()
  return (
    <Drawer opened={id !== null} onClose={onClose} position="right" size="xl" title={t('reservation')} closeButtonProps={{ 'aria-label': s('close') }}>
      {id ? <Details key={id} id={id} /> : null}
    </Drawer>
  )
}

function Details({ id }: { id: string }) {
  const t = useTexts(reservationTexts)
  const s = useShared()
  const word = useWord(reservationWords)
  const formats = useFormats()
  const may = useMay()
  const client = useQueryClient()
  const [releasing, setReleasing] = useState(false)
  const found = useQuery({ queryKey: keys.reservation(id), queryFn: () => api.get<Reservation>('/v1/reservations/{id}', { path: { id } }) })
  const done = async (step: ReservationStep) => {
    client.setQueryData(keys.reservation(id), step.reservation)
    await client.invalidateQueries({ queryKey: listKey('/v1/reservations') })
    for (const line of step.reservation.lines) void client.invalidateQueries({ queryKey: keys.held(line.variant_id) })
  }
  const extend = useMutation({
    mutationFn: (seconds: number) => api.post<ReservationStep>('/v1/reservations/{id}/extend', { expires_in: seconds }, { path: { id }, ifMatch: found.data!.version }),
    onSuccess: async (step) => {
      notifyDone(t('extended', { time: formats.dateTime(step.reservation.expires_at!) }))
      await done(step)
    },
    onError: () => void found.refetch(),
  })
  if (found.error) return <Problem error={found.error} retry={() => void found.refetch()} />
  if (!found.data) return <Loading />
  const row = found.data
  const mine = row.lines.every((line) => may('stock:reserve', line.site_id))
  return (
    <Stack data-testid="reservation">
      <Facts
        facts={[
          [s('state'), <ReservationState key="s" row={row} />],
          [s('kind'), word(row.kind)],
          [t('reference'), row.reference],
          [t('channel'), row.channel_code],
          [t('until'), row.expires_at ? <When key="u" at={row.expires_at} /> : t('noEnd')],
          [t('created'), <span key="c"><When at={row.created_at} /> · {row.created_by.name}</span>],
          [t('ended'), row.ended_at ? <When key="e" at={row.ended_at} /> : null],
        ]}
      />
      <Lines row={row} />
      {extend.error ? <Problem error={extend.error} /> : null}
      {mine && !releasing ? (
        <Group>
          {row.can.includes('release') ? (
            <Button color="brick" variant="light" onClick={() => setReleasing(true)} data-testid="release">
              {t('release')}
            </Button>
          ) : null}
          {row.can.includes('extend') ? (
            <>
              <Button variant="default" loading={extend.isPending} onClick={() => extend.mutate(3600)} data-testid="extend-hour">{t('extendHour')}</Button>
              <Button variant="default" loading={extend.isPending} onClick={() => extend.mutate(86_400)}>{t('extendDay')}</Button>
            </>
          ) : null}
        </Group>
      ) : null}
      {releasing ? <Release row={row} onCancel={() => setReleasing(false)} onDone={(step) => (setReleasing(false), done(step))} /> : null}
    </Stack>
  )
}

function Lines({ row }: { row: Reservation }) {
  const t = useTexts(reservationTexts)
  const s = useShared()
  const word = useWord(reservationWords)
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t('lines')}>
      <table className={css.rows} data-testid="reservation-lines">
        <thead>
          <tr>
            <th scope="col">{t('what')}</th>
            <th scope="col">{s('site')}</th>
            <th scope="col" className={css.n}>{t('requested')}</th>
            <th scope="col" className={css.n}>{t('open')}</th>
            <th scope="col" className={css.n}>{t('consumed')}</th>
            <th scope="col" className={css.n}>{t('released')}</th>
            <th scope="col" className={css.n}>{t('expired')}</th>
          </tr>
        </thead>
        <tbody>
          {row.lines.map((line) => (
            <tr key={line.line}>
              <th scope="row">
                <Go href={paths.variant(line.variant_id)}>{line.name}</Go>
                <Text size="xs" c="dimmed"><span className="mono">{line.sku}</span>{line.policy === 'all_or_nothing' ? null : ` · ${word(line.policy)}`}</Text>
              </th>
              <td>{line.site_code}</td>
              <td className={css.n}><Quantity value={line.requested} unit={line.unit} /></td>
              <td className={css.n}><Quantity value={line.open} /></td>
              <td className={css.n}><Quantity value={line.consumed} /></td>
              <td className={css.n}><Quantity value={line.released} /></td>
              <td className={css.n}><Quantity value={line.expired} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Asks the server first what would be given back, and shows it. */
function Release({ row, onDone, onCancel }: { row: Reservation; onDone: (step: ReservationStep) => Promise<unknown>; onCancel: () => void }) {
  const t = useTexts(reservationTexts)
  const [id] = useState(() => uuid7())
  const send = (body: object) => api.post<ReservationStep>('/v1/reservations/{id}/release', body, { path: { id: row.id } })
  const preview = useQuery({ queryKey: [...keys.reservation(row.id), 'release', row.version], queryFn: () => send({ preview: true }), gcTime: 0 })
  if (preview.error) return <Problem error={preview.error} retry={() => void preview.refetch()} />
  if (!preview.data) return <Loading />
  const lines = preview.data.lines.filter((line) => sign(line.quantity) > 0)
  return (
    <ReasonForm
      label={t('releaseLabel')}
      submit={t('releaseSubmit')}
      optional
      danger
      run={async (reason) => {
        const step = await send({ id, reason: reason || null })
        notifyDone(t('releasedNote'))
        await onDone(step)
      }}
      onDone={() => undefined}
      onCancel={onCancel}
      testId="release-form"
    >
      <div data-testid="release-preview">
        <Text fw={600} size="sm">{t('releaseShows')}</Text>
        <ul style={{ margin: '4px 0 0', paddingLeft: 20 }}>
          {lines.map((line) => (
            <li key={line.line}>
              <Quantity value={line.quantity} unit={line.unit} /> <span className="mono">{line.sku}</span> · {line.site_code}
            </li>
          ))}
        </ul>
      </div>
    </ReasonForm>
  )
}
