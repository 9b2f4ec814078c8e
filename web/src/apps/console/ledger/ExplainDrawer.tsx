import { Alert, Drawer, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { api } from '../../../api/client'
import type { Explanation, SiteLevel } from '../../../api/types'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { Quantity, When } from '../../../ui/numbers'
import { Loading, Problem } from '../../../ui/states'
import css from './ledger.module.css'
import { Why, type Explainable } from './Places'
import { variantTexts } from './texts'

export type Asked = { quantity: Explainable; siteId: string | null }
type Props = { variantId: string; asked: Asked | null; rows: SiteLevel[]; onAsk: (asked: Asked) => void; onClose: () => void; openPosting: (id: string) => void }

/** "Explain this number": what it is made of, and every posting that led to it. */
export function ExplainDrawer({ variantId, asked, rows, onAsk, onClose, openPosting }: Props) {
  const t = useTexts(variantTexts)
  const s = useShared()
  const word = useWord(words)
  const site = rows.find((row) => row.site_id === asked?.siteId)
  return (
    <Drawer opened={asked !== null} onClose={onClose} position="right" size="lg" title={asked ? `${t('explain')}: ${word(asked.quantity)}${site ? ` · ${site.site_code}` : ''}` : ''} closeButtonProps={{ 'aria-label': s('close') }}>
      {asked ? (
        <Stack data-testid="explain">
          <Reasons variantId={variantId} quantity={asked.quantity} siteId={asked.siteId} openPosting={openPosting}>
            {asked.siteId ? null : <BySite asked={asked} rows={rows} onAsk={onAsk} />}
          </Reasons>
        </Stack>
      ) : null}
    </Drawer>
  )
}

/** A sum over sites: each site's share, itself explainable. */
function BySite({ asked, rows, onAsk }: { asked: Asked; rows: SiteLevel[]; onAsk: (asked: Asked) => void }) {
  const t = useTexts(variantTexts)
  return (
    <>
      <Title order={3}>{t('places')}</Title>
      <table className={css.rows}>
        <tbody>
          {rows.map((row) => (
            <tr key={row.site_id}>
              <th scope="row">{row.site_code}</th>
              <td className={css.n}>
                <Why label={`sum-${row.site_code}`} onClick={() => onAsk({ ...asked, siteId: row.site_id })}>
                  <Quantity value={row[asked.quantity]} flash />
                </Why>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

type ReasonsProps = { variantId: string; quantity: Explainable; siteId: string | null; openPosting: (id: string) => void; children: ReactNode }

function Reasons({ variantId, quantity, siteId, openPosting, children }: ReasonsProps) {
  const t = useTexts(variantTexts)
  const s = useShared()
  const word = useWord(words)
  const formats = useFormats()
  const found = useQuery({
    queryKey: ['explain', variantId, siteId, quantity],
    queryFn: () => api.get<Explanation>('/v1/explain', { query: { variant_id: variantId, site_id: siteId, quantity } }),
    staleTime: 0,
  })
  if (found.error) return <Problem error={found.error} retry={() => void found.refetch()} />
  if (!found.data) return <Loading />
  const { value, unit, parts, rows, after_seq, agrees } = found.data
  return (
    <>
      <div>
        <Text fz={28} fw={650}>
          <Quantity value={value} unit={unit} />
        </Text>
        <Text size="xs" c="dimmed">
          {t('upTo', { seq: String(after_seq) })}
        </Text>
      </div>
      {agrees === false ? <Alert color="brick">{t('disagrees')}</Alert> : null}
      <Title order={3}>{t('explainSum')}</Title>
      <table className={css.rows} data-testid="explain-parts">
        <tbody>
          {parts.map((part, index) => (
            <tr key={index}>
              <th scope="row" style={{ fontWeight: 400 }}>
                {word(part.label)}
              </th>
              <td className={css.n}>
                <Quantity value={part.value} signed />
              </td>
            </tr>
          ))}
          <tr>
            <th scope="row">{s('total')}</th>
            <td className={css.n}>
              <strong>{formats.quantity(value)}</strong>
            </td>
          </tr>
        </tbody>
      </table>
      {children}
      <Title order={3}>{t('explainRows')}</Title>
      <table className={css.rows} data-testid="explain-rows">
        <thead>
          <tr>
            <th scope="col">{s('when')}</th>
            <th scope="col">{s('kind')}</th>
            <th scope="col" className={css.n}>{t('change')}</th>
            <th scope="col" className={css.n}>{t('balance')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.seq} ${row.quantity} ${row.balance} ${row.location_code}`}>
              <td><When at={row.happened_at} /></td>
              <td>
                <button type="button" className={css.why} onClick={() => openPosting(row.posting_id)}>
                  {word(row.kind)}
                </button>
              </td>
              <td className={css.n}><Quantity value={row.quantity} signed /></td>
              <td className={css.n}><Quantity value={row.balance} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}
