import { Alert, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import type { Affected, Hold, Page, Variant } from '../../../api/types'
import css from '../../../ui/detail.module.css'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { Quantity } from '../../../ui/numbers'
import { PlaceSelect } from '../../../ui/PlaceSelect'
import { ReasonForm } from '../../../ui/ReasonForm'
import { Loading, Problem } from '../../../ui/states'
import { sign } from '../../../values/decimal'
import { uuid7 } from '../../../values/uuid7'
import { qualityTexts } from './texts'

type Condition = 'hold' | 'quarantine' | 'recalled'
type Props = { /** Fixed: this lot. Without it, an item and a place are asked for. */ lot?: { id: string; code: string }; condition?: Condition; onClose: () => void; onDone: () => Promise<unknown> }
const SHOWN = 4

export function HoldDialog(props: Props) {
  const t = useTexts(qualityTexts)
  const s = useShared()
  const title = props.lot ? t(props.condition === 'recalled' ? 'recallTitle' : 'holdTitle', { what: props.lot.code }) : t('newHold')
  return (
    <Modal opened onClose={props.onClose} title={title} size="lg" closeButtonProps={{ 'aria-label': s('close') }}>
      <Form {...props} />
    </Modal>
  )
}

function Form({ lot, condition: first = 'hold', onClose, onDone }: Props) {
  const t = useTexts(qualityTexts)
  const word = useWord(words)
  // One id for this hold, however often it is sent.
  const [id] = useState(() => uuid7())
  const [condition, setCondition] = useState<Condition>(first)
  const [place, setPlace] = useState<string | null>(null)
  const [sku, setSku] = useState('')
  const [asked] = useDebouncedValue(sku.trim(), 250)
  const item = useQuery({
    queryKey: ['variant-by-sku', asked],
    queryFn: () => api.get<Page<Variant>>('/v1/variants', { query: { sku: asked, limit: 1 } }),
    enabled: !lot && asked !== '',
  })
  const variant = item.data?.data[0]
  const unknown = !lot && asked !== '' && item.data !== undefined && !variant
  const scope: Record<string, string> = lot ? { lot_id: lot.id } : { ...(variant ? { variant_id: variant.id } : {}), ...(place ? { location_id: place } : {}) }
  const ready = !unknown && sku.trim() === asked && Object.keys(scope).length > 0 && (asked === '' || variant !== undefined || lot !== undefined)
  return (
    <ReasonForm
      label={t('holdReason')}
      submit={t(condition === 'recalled' ? 'recall' : 'hold')}
      danger
      run={async (reason) => {
        await api.post<Hold>('/v1/holds', { id, ...scope, condition, reason })
        notifyDone(t('held_done'))
        await onDone()
      }}
      onDone={onClose}
      onCancel={onClose}
      testId="hold-form"
    >
      <Text size="sm">{t('holdHint')}</Text>
      {lot ? null : (
        <>
          <PlaceSelect label={t('place')} value={place} onChange={setPlace} testId="hold-place" />
          <TextInput label={t('itemSku')} value={sku} onChange={(event) => setSku(event.currentTarget.value)} error={unknown ? t('unknownSku') : undefined} data-testid="hold-sku" />
        </>
      )}
      <Select
        label={t('into')}
        data={(['hold', 'quarantine', 'recalled'] as const).map((value) => ({ value, label: word(value) }))}
        value={condition}
        onChange={(next) => setCondition((next ?? 'hold') as Condition)}
        allowDeselect={false}
        data-testid="hold-condition"
      />
      {ready ? <WouldTake scope={scope} /> : lot ? null : <Text size="sm" c="dimmed">{t('chooseScope')}</Text>}
    </ReasonForm>
  )
}

/** What the hold would take out of sale, before it does. */
function WouldTake({ scope }: { scope: Record<string, string> }) {
  const t = useTexts(qualityTexts)
  const formats = useFormats()
  const found = useQuery({ queryKey: ['hold-preview', scope], queryFn: () => api.post<Affected>('/v1/hold-previews', scope), staleTime: 0 })
  if (found.error) return <Problem error={found.error} retry={() => void found.refetch()} />
  if (!found.data) return <Loading />
  const { levels, sites, lines } = found.data
  if (!levels) return <Alert color="gray">{t('wouldTakeNone')}</Alert>
  const short = lines.filter((line) => sign(line.reserved_short) > 0)
  return (
    <Stack gap="xs" data-testid="would-take">
      <Text size="sm" fw={600}>{t('wouldTake', { count: levels, sites: t('atSites', { count: sites }) })}</Text>
      <table className={css.rows}>
        <tbody>
          {lines.slice(0, SHOWN).map((line, index) => (
            <tr key={index}>
              <th scope="row" className="mono">{line.location_path}</th>
              <td className="mono">{line.sku}{line.lot_code ? ` · ${line.lot_code}` : ''}</td>
              <td className={css.n}><Quantity value={line.quantity} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      {levels > SHOWN ? <Text size="sm" c="dimmed">{t('moreLines', { count: levels - SHOWN })}</Text> : null}
      {short.length ? <Alert color="amber">{t('promised', { quantity: formats.quantity(short[0]?.reserved_short ?? '0') })}</Alert> : null}
    </Stack>
  )
}
