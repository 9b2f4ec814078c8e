import { Text } from '@mantine/core'

import { useSites } from '../../../api/places'
import type { Reservation } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { Quantity, When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty } from '../../../ui/states'
import { useUrl } from '../../../ui/url'
import { ReservationDrawer } from './ReservationDrawer'
import { ReservationState } from './ReservationState'
import { reservationTexts, reservationWords } from './reservationTexts'

export const RESERVATION_EVENTS = ['reservation.created', 'reservation.extended', 'reservation.consumed', 'reservation.released', 'reservation.expired'] as const
const STATES = ['open', 'consumed', 'released', 'expired'] as const
const KINDS = ['basket', 'order', 'quota'] as const
const WITHIN = [15, 60, 1440] as const

export function ReservationsPage() {
  const t = useTexts(reservationTexts)
  const s = useShared()
  const word = useWord(reservationWords)
  const sites = useSites()
  const [search, change] = useUrl()
  const what = (row: Reservation) => {
    const [first] = row.lines
    if (!first) return '–'
    const more = row.lines.length - 1
    return (
      <span>
        {first.name}
        {more ? <Text component="span" size="sm" c="dimmed"> {t('more', { count: more })}</Text> : null}
      </span>
    )
  }
  const columns: Column<Reservation>[] = [
    { id: 'created', header: t('created'), width: '160px', cell: (row) => <When at={row.created_at} /> },
    { id: 'kind', header: s('kind'), width: '80px', cell: (row) => word(row.kind) },
    { id: 'reference', header: t('reference'), width: 'minmax(80px, 1fr)', cell: (row) => <span className="mono">{row.reference ?? '–'}</span> },
    { id: 'what', header: t('what'), width: 'minmax(150px, 2fr)', narrow: 'title', cell: what },
    { id: 'held', header: t('held'), width: '60px', align: 'right', cell: (row) => (row.lines.length === 1 ? <Quantity value={row.lines[0]!.open} /> : t('lineCount', { count: row.lines.length })) },
    { id: 'site', header: s('site'), width: '60px', cell: (row) => [...new Set(row.lines.map((line) => line.site_code))].join(', ') },
    { id: 'until', header: t('until'), width: '160px', cell: (row) => (row.expires_at ? <When at={row.expires_at} /> : t('noEnd')) },
    { id: 'state', header: s('state'), width: '105px', narrow: 'corner', cell: (row) => <ReservationState row={row} /> },
    { id: 'channel', header: t('channel'), width: '100px', hidden: true, cell: (row) => row.channel_code ?? '–' },
    { id: 'by', header: t('by'), width: '140px', hidden: true, cell: (row) => row.created_by.name },
    { id: 'ended', header: t('ended'), width: '165px', hidden: true, cell: (row) => (row.ended_at ? <When at={row.ended_at} /> : '–') },
  ]
  return (
    <Page title={t('title')} lead={t('lead')} fill testId="page-reservations">
      <DataList<Reservation>
        page="ledger.reservations"
        label={t('title')}
        path="/v1/reservations"
        columns={columns}
        filters={[
          { param: 'state', label: s('state'), kind: 'choice', options: STATES.map((state) => ({ value: state, label: word(state) })) },
          { param: 'expires_within', label: t('ends'), kind: 'choice', options: WITHIN.map((minutes) => ({ value: String(minutes * 60), label: t(`within${minutes}`) })) },
          { param: 'kind', label: s('kind'), kind: 'choice', options: KINDS.map((kind) => ({ value: kind, label: word(kind) })) },
          { param: 'site_id', label: s('site'), kind: 'choice', options: sites.map((site) => ({ value: site.id, label: `${site.code} · ${site.name}` })) },
          { param: 'reference', label: t('reference'), kind: 'text' },
        ]}
        rowId={(row) => row.id}
        onOpen={(row) => change({ reservation: row.id }, true)}
        live={RESERVATION_EVENTS}
        empty={
          <Empty title={t('none')} icon="bookmark">
            {t('noneHint')}
          </Empty>
        }
      />
      <ReservationDrawer id={search.reservation ?? null} onClose={() => change({ reservation: null })} />
    </Page>
  )
}
