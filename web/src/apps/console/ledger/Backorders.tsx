import { Button, Group, Modal, Stack, Text, TextInput, VisuallyHidden } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { readAll } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { Backorder, SiteLevel, Variant } from '../../../api/types'
import { Panel } from '../../../ui/Facts'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { Quantity, When } from '../../../ui/numbers'
import { Loading, Problem } from '../../../ui/states'
import { fromTyped, sign } from '../../../values/decimal'
import { keys } from './keys'
import css from './ledger.module.css'
import { reservationTexts } from './reservationTexts'

type Site = Pick<SiteLevel, 'site_id' | 'site_code'>

/** Where more of a variant may be reserved than is there; who may, approves it, changes how much, or ends it. */
export function Backorders({ variant, sites, siteId }: { variant: Variant; sites: Site[]; siteId: string }) {
  const t = useTexts(reservationTexts)
  const may = useMay()
  const [open, setOpen] = useState<Site | null>(null)
  const found = useQuery({ queryKey: keys.backorders(variant.id), queryFn: () => readAll<Backorder>('/v1/backorders', { variant_id: variant.id }) })
  const rows = (found.data ?? []).filter((row) => !siteId || row.site_id === siteId)
  const free = sites.filter((site) => (!siteId || site.site_id === siteId) && may('stock:backorder', site.site_id) && !rows.some((row) => row.site_id === site.site_id))
  const first = free[0]
  if (!found.error && found.data && !rows.length && !first) return null
  const allow = first ? (
    <Button variant="subtle" size="compact-sm" leftSection={<Icon name="plus" size={16} />} onClick={() => setOpen(first)} data-testid="allow-backorder">
      {t('allow')}
    </Button>
  ) : null
  return (
    <Panel title={t('backorders')} id="backorders" actions={allow} testId="backorders">
      {found.error ? (
        <Problem error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <Loading />
      ) : !rows.length ? (
        <Text c="dimmed">{t('noBackorders')}</Text>
      ) : (
        <div className={css.scroll} tabIndex={0} role="group" aria-label={t('backorders')}>
          <table className={css.rows}>
            <thead>
              <tr>
                <th scope="col">{t('atSite')}</th>
                <th scope="col" className={css.n}>{t('upTo')}</th>
                <th scope="col" className={css.n}>{t('beyond')}</th>
                <th scope="col" style={{ paddingLeft: 18 }}>{t('approvedBy')}</th>
                <th scope="col"><VisuallyHidden>{t('change')}</VisuallyHidden></th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.site_id} data-testid={`backorder-${row.site_code}`}>
                  <th scope="row">{row.site_code}</th>
                  <td className={css.n}>{row.max_quantity === null ? t('anyQuantity') : <Quantity value={row.max_quantity} unit={row.unit} />}</td>
                  <td className={css.n}><Quantity value={row.beyond} /></td>
                  <td style={{ paddingLeft: 18 }}>
                    {row.approved_by.name} <Text span size="xs" c="dimmed"><When at={row.approved_at} form="date" />{row.note ? ` · ${row.note}` : ''}</Text>
                  </td>
                  <td className={css.n}>
                    {may('stock:backorder', row.site_id) ? <Button variant="subtle" size="compact-sm" onClick={() => setOpen(row)} aria-label={t('changeAt', { site: row.site_code })}>{t('change')}</Button> : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {open ? <BackorderDialog variant={variant} site={open} sites={free} now={rows.find((row) => row.site_id === open.site_id)} onClose={() => setOpen(null)} /> : null}
    </Panel>
  )
}

function BackorderDialog({ variant, site: first, sites, now, onClose }: { variant: Variant; site: Site; sites: Site[]; now?: Backorder; onClose: () => void }) {
  const t = useTexts(reservationTexts)
  const s = useShared()
  const formats = useFormats()
  const client = useQueryClient()
  const [site, setSite] = useState(first)
  const [most, setMost] = useState(now?.max_quantity?.replace('.', formats.decimalMark) ?? '')
  const [note, setNote] = useState(now?.note ?? '')
  const read = most.trim() ? fromTyped(most, formats.decimalMark) : null
  const bad = most.trim() && (read === null || sign(read) <= 0) ? t('badQuantity') : null
  const save = useMutation({
    mutationFn: (state: 'approved' | 'ended') => api.put<Backorder>('/v1/backorders', { variant_id: variant.id, site_id: site.site_id, max_quantity: read, state, ...(note.trim() ? { note: note.trim() } : {}) }),
    onSuccess: async (row) => {
      notifyDone(t(row.state === 'approved' ? 'approvedDone' : 'endedDone', { site: site.site_code }))
      await client.invalidateQueries({ queryKey: keys.backorders(variant.id) })
      onClose()
    },
  })
  return (
    <Modal opened onClose={onClose} title={t(now ? 'changeTitle' : 'allowTitle', { site: site.site_code })} closeButtonProps={{ 'aria-label': s('close') }}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!bad) save.mutate('approved')
        }}
      >
        <Stack data-testid="backorder-form">
          <Text size="sm">{t('backorderHint')}</Text>
          {now || sites.length < 2 ? null : (
            <Group gap={6} role="group" aria-label={t('atSite')}>
              {sites.map((each) => (
                <Button key={each.site_id} size="compact-sm" variant={each.site_id === site.site_id ? 'filled' : 'default'} aria-pressed={each.site_id === site.site_id} onClick={() => setSite(each)}>{each.site_code}</Button>
              ))}
            </Group>
          )}
          <TextInput label={t('upTo')} description={t('upToHint')} inputMode="decimal" value={most} error={bad} rightSection={<Text size="xs" c="dimmed">{variant.unit}</Text>} rightSectionWidth={52} onChange={(event) => setMost(event.currentTarget.value)} data-autofocus data-testid="backorder-most" />
          <TextInput label={`${s('note')} (${s('optional')})`} value={note} maxLength={500} onChange={(event) => setNote(event.currentTarget.value)} />
          {save.error ? <Problem error={save.error} /> : null}
          <Group justify="flex-end">
            {now ? <Button variant="subtle" color="brick" loading={save.isPending} onClick={() => save.mutate('ended')} data-testid="backorder-end">{t('endIt')}</Button> : null}
            <Button type="submit" loading={save.isPending} disabled={!!bad} data-testid="backorder-save">{t(now ? 'change' : 'allow')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
