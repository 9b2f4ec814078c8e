import { Group, Text, UnstyledButton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { api } from '../../../api/client'
import { useLiveInvalidate } from '../../../api/live'
import type { Page, Reservation } from '../../../api/types'
import { Panel } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { Quantity, When } from '../../../ui/numbers'
import { Loading, Problem } from '../../../ui/states'
import { sign, subtract, sum } from '../../../values/decimal'
import { paths } from '../../../values/paths'
import { keys } from './keys'
import css from './ledger.module.css'
import { RESERVATION_EVENTS } from './ReservationsPage'
import { ReservationState } from './ReservationState'
import { reservationTexts, reservationWords } from './reservationTexts'

const MOST = 50
const AFTER_NUMBER = { paddingLeft: 18 }

/** Who holds how much of a variant, and until when. */
export function HeldBy({ variantId, siteId, reserved, open }: { variantId: string; siteId: string; /** What the levels say is reserved. */ reserved: string; open: (id: string) => void }) {
  const t = useTexts(reservationTexts)
  const s = useShared()
  const word = useWord(reservationWords)
  const formats = useFormats()
  const held = useQuery({
    queryKey: [...keys.held(variantId), siteId],
    queryFn: () => api.get<Page<Reservation>>('/v1/reservations', { query: { variant_id: variantId, site_id: siteId, state: 'open', limit: MOST } }),
  })
  useLiveInvalidate(RESERVATION_EVENTS, keys.held(variantId))
  const rows = (held.data?.data ?? []).flatMap((row) =>
    row.lines.filter((line) => line.variant_id === variantId && sign(line.open) > 0 && (!siteId || line.site_id === siteId)).map((line) => ({ row, line })),
  )
  const others = held.data && !held.data.has_more ? subtract(reserved, sum(rows.map(({ line }) => line.open))) : '0'
  const all = (
    <Go href={paths.reservations({ state: 'open' })}>
      <Text size="sm" component="span">{t('all')}</Text>
    </Go>
  )
  return (
    <Panel title={t('title')} id="reservations" actions={all} testId="held-by">
      {held.error ? (
        <Problem error={held.error} retry={() => void held.refetch()} />
      ) : !held.data ? (
        <Loading />
      ) : !rows.length ? (
        sign(others) > 0 ? null : <Text c="dimmed">{t('noneHere')}</Text>
      ) : (
        <div className={css.scroll} tabIndex={0} role="group" aria-label={t('title')}>
          <table className={css.rows}>
            <thead>
              <tr>
                <th scope="col">{s('kind')}</th>
                <th scope="col">{s('site')}</th>
                <th scope="col" className={css.n}>{t('held')}</th>
                <th scope="col" style={AFTER_NUMBER}>{t('until')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ row, line }) => (
                <tr key={`${row.id} ${line.line}`}>
                  <th scope="row">
                    <UnstyledButton className={css.why} onClick={() => open(row.id)} data-testid="held-row">
                      {word(row.kind)} {row.reference ? <span className="mono">{row.reference}</span> : null}
                    </UnstyledButton>
                  </th>
                  <td>{line.site_code}</td>
                  <td className={css.n}><Quantity value={line.open} /></td>
                  <td style={AFTER_NUMBER}>
                    <Group gap={6} wrap="nowrap">
                      {row.expires_at ? <When at={row.expires_at} /> : t('noEnd')}
                      {row.lapsed ? <ReservationState row={row} /> : null}
                    </Group>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {held.data.has_more ? <Text size="sm" c="dimmed" mt="xs">{all}</Text> : null}
        </div>
      )}
      {sign(others) > 0 ? <Text size="sm" c="dimmed" mt="xs" data-testid="held-by-others">{t('others', { quantity: formats.quantity(others) })}</Text> : null}
    </Panel>
  )
}
