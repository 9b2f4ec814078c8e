import { Badge, Text, UnstyledButton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { readAll } from '../../../api/places'
import type { Level, SiteLevel } from '../../../api/types'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { Quantity } from '../../../ui/numbers'
import { Loading, Problem } from '../../../ui/states'
import { sign, sum } from '../../../values/decimal'
import { keys } from './keys'
import css from './ledger.module.css'
import { variantTexts } from './texts'

export type Explainable = 'on_hand' | 'sellable' | 'reserved'

/** A number that answers "why?". */
export function Why({ label, onClick, children }: { label: string; onClick: () => void; children: ReactNode }) {
  const t = useTexts(variantTexts)
  return (
    <button type="button" className={css.why} onClick={onClick} title={t('explain')} aria-description={t('explain')} data-testid={`why-${label}`}>
      {children}
    </button>
  )
}

/** The five quantities, over the sites given. */
export function Five({ rows, unit, explain }: { rows: SiteLevel[]; unit: string; explain: (quantity: Explainable) => void }) {
  const s = useShared()
  const total = (name: 'on_hand' | 'available' | 'reserved' | 'on_order' | 'in_transit') => sum(rows.map((row) => row[name]))
  return (
    <dl className={`card ${css.five}`} data-testid="five">
      <Fact name={s('onHand')}>
        <Why label="on_hand" onClick={() => explain('on_hand')}>
          <Quantity value={total('on_hand')} unit={unit} flash />
        </Why>
      </Fact>
      <Fact name={s('available')}>
        <Why label="sellable" onClick={() => explain('sellable')}>
          <Quantity value={total('available')} flash />
        </Why>
      </Fact>
      <Fact name={s('reserved')}>
        <Why label="reserved" onClick={() => explain('reserved')}>
          <Quantity value={total('reserved')} flash />
        </Why>
      </Fact>
      <Fact name={s('onOrder')}>
        <Quantity value={total('on_order')} />
      </Fact>
      <Fact name={s('inTransit')}>
        <Quantity value={total('in_transit')} />
      </Fact>
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={css.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

export function Sites({ rows, choose, explain }: { rows: SiteLevel[]; choose: (siteId: string) => void; explain: (quantity: Explainable, siteId: string) => void }) {
  const t = useTexts(variantTexts)
  const s = useShared()
  if (!rows.length) return <Text c="dimmed">{t('noBins')}</Text>
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t('places')}>
      <table className={css.rows} data-testid="sites">
        <thead>
          <tr>
            <th scope="col">{s('site')}</th>
            <th scope="col" className={css.n}>{s('onHand')}</th>
            <th scope="col" className={css.n}>{s('available')}</th>
            <th scope="col" className={css.n}>{s('reserved')}</th>
            <th scope="col" className={css.n}>{s('onOrder')}</th>
            <th scope="col" className={css.n}>{s('inTransit')}</th>
            <th scope="col" className={css.n}>{s('minimum')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.site_id}>
              <th scope="row">
                <UnstyledButton className={css.why} onClick={() => choose(row.site_id)}>
                  {row.site_code}
                </UnstyledButton>
              </th>
              <td className={css.n}>
                <Why label={`on_hand-${row.site_code}`} onClick={() => explain('on_hand', row.site_id)}>
                  <Quantity value={row.on_hand} flash />
                </Why>
              </td>
              <td className={css.n}><Quantity value={row.available} minimum={row.minimum} flash /></td>
              <td className={css.n}><Quantity value={row.reserved} flash /></td>
              <td className={css.n}><Quantity value={row.on_order} /></td>
              <td className={css.n}><Quantity value={row.in_transit} /></td>
              <td className={css.n}><Quantity value={row.minimum} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** What lies in each bin, by lot and condition, now or then. */
export function Bins({ variantId, siteId, asOf }: { variantId: string; siteId: string; asOf: string }) {
  const t = useTexts(variantTexts)
  const s = useShared()
  const word = useWord(words)
  const levels = useQuery({
    queryKey: keys.levels(variantId, siteId, asOf),
    queryFn: () => readAll<Level>('/v1/levels', { variant_id: variantId, site_id: siteId, as_of: asOf }),
  })
  if (levels.error) return <Problem error={levels.error} retry={() => void levels.refetch()} />
  if (!levels.data) return <Loading />
  const rows = levels.data.filter((row) => sign(row.on_hand) !== 0 || sign(row.allocated ?? '0') !== 0)
  if (!rows.length) return <Text c="dimmed">{t('noBins')}</Text>
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t('bins')}>
      <table className={css.rows} data-testid="bins">
        <thead>
          <tr>
            <th scope="col">{s('location')}</th>
            <th scope="col">{s('lot')}</th>
            <th scope="col">{s('condition')}</th>
            <th scope="col" className={css.n}>{s('onHand')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.location_id} ${row.lot_id ?? ''} ${row.condition}`}>
              <th scope="row">{row.location_path}</th>
              <td>{row.lot_code ?? '–'}</td>
              <td>{row.condition === 'available' ? word(row.condition) : <Badge color="amber">{word(row.condition)}</Badge>}</td>
              <td className={css.n}><Quantity value={row.on_hand} flash={!asOf} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
