import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import { readAll } from '../../../api/places'
import type { Level, Variant } from '../../../api/types'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { PlaceSelect } from '../../../ui/PlaceSelect'
import { Problem } from '../../../ui/states'
import { fromTyped, sign } from '../../../values/decimal'
import { uuid7 } from '../../../values/uuid7'
import { CONDITIONS, keys, REASONS } from './keys'
import { variantTexts } from './texts'

export type Verb = 'adjust' | 'set' | 'move'
type Props = { verb: Verb; variant: Variant; siteId: string | null; onClose: () => void }

const TITLES = { adjust: 'adjustTitle', set: 'setTitle', move: 'moveTitle' } as const
const HINTS = { adjust: 'deltaHint', set: 'setHint', move: 'moveHint' } as const
const RESOURCES = { adjust: '/v1/adjustments', set: '/v1/stock-sets', move: '/v1/moves' } as const

export function StockDialog({ verb, variant, siteId, onClose }: Props) {
  const t = useTexts(variantTexts)
  const s = useShared()
  return (
    <Modal opened onClose={onClose} title={`${t(TITLES[verb])}: ${variant.name}`} closeButtonProps={{ 'aria-label': s('close') }}>
      <Form verb={verb} variant={variant} siteId={siteId} onClose={onClose} />
    </Modal>
  )
}

function Form({ verb, variant, siteId, onClose }: Props) {
  const t = useTexts(variantTexts)
  const s = useShared()
  const word = useWord(words)
  const formats = useFormats()
  const client = useQueryClient()
  // One id for this form, however often it is sent: the server does it once.
  const [id, setId] = useState(() => uuid7())
  const [place, setPlace] = useState<string | null>(null)
  const [target, setTarget] = useState<string | null>(null)
  const [typed, setTyped] = useState('')
  const [condition, setCondition] = useState('available')
  const [newCondition, setNewCondition] = useState('available')
  const [reason, setReason] = useState<string | null>(null)
  const [note, setNote] = useState('')
  const [lot, setLot] = useState('')
  const [tried, setTried] = useState(false)

  const levels = useQuery({
    queryKey: keys.levels(variant.id, siteId ?? ''),
    queryFn: () => readAll<Level>('/v1/levels', { variant_id: variant.id, site_id: siteId }),
  })
  const here = (levels.data ?? []).find((row) => row.location_id === place && row.condition === condition && (row.lot_code ?? '') === lot.trim())
  const known = [...new Map((levels.data ?? []).map((row) => [row.location_id, row.location_path]))].map(([value, label]) => ({ value, label }))
  const quantity = fromTyped(typed, formats.decimalMark)
  const valid = quantity !== null && place !== null && (verb !== 'move' ? reason !== null : target !== null && sign(quantity) > 0)

  const body = () => {
    const common = { id, variant_id: variant.id, quantity, ...(lot.trim() ? { lot_code: lot.trim() } : {}) }
    if (verb === 'move') return { ...common, from_location_id: place, to_location_id: target, from_condition: condition, to_condition: newCondition }
    const why = { reason, ...(note.trim() ? { note: note.trim() } : {}), location_id: place, condition }
    return verb === 'set' ? { ...common, ...why, expected_quantity: here?.on_hand ?? '0' } : { ...common, ...why }
  }
  const post = useMutation({
    mutationFn: () => api.post<{ state?: string }>(RESOURCES[verb], body()),
    onSuccess: async (answer) => {
      notifyDone(answer?.state === 'waiting_approval' ? t('waits') : t('posted'))
      onClose()
      await Promise.all([keys.siteLevels(variant.id), ['levels', variant.id], ['chart', variant.id], keys.history(variant.id)].map((key) => client.invalidateQueries({ queryKey: key })))
    },
    onError: (error) => {
      // A refusal is not remembered; the next try is another request, with the value of now.
      if (asProblem(error).status !== 0) setId(uuid7())
      if (asProblem(error).code === 'quantity_stale') void levels.refetch()
    },
  })
  const conditions = CONDITIONS.map((each) => ({ value: each, label: word(each) }))
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (valid) post.mutate()
      }}
    >
      <Stack gap="sm" data-testid={`dialog-${verb}`}>
        <PlaceSelect label={verb === 'move' ? s('from') : s('location')} value={place} onChange={setPlace} first={known} testId="place" />
        {verb === 'move' ? <PlaceSelect label={s('to')} value={target} onChange={setTarget} testId="target" /> : null}
        <Group grow align="flex-start">
          <Select label={verb === 'move' ? t('fromCondition') : s('condition')} data={conditions} value={condition} onChange={(next) => setCondition(next ?? 'available')} allowDeselect={false} />
          {verb === 'move' ? <Select label={t('toCondition')} data={conditions} value={newCondition} onChange={(next) => setNewCondition(next ?? 'available')} allowDeselect={false} /> : null}
        </Group>
        {variant.tracking !== 'none' ? <TextInput label={t('lotCode')} value={lot} onChange={(event) => setLot(event.currentTarget.value)} /> : null}
        <TextInput
          label={`${s('quantity')} (${variant.unit})`}
          description={t(HINTS[verb])}
          inputMode="text"
          autoComplete="off"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          error={tried && quantity === null ? t('badQuantity') : undefined}
          data-testid="quantity"
        />
        {place ? <Text size="sm" c="dimmed">{t('isNow', { quantity: formats.quantity(here?.on_hand ?? '0') })}</Text> : tried ? <Text size="sm" c="error">{t('choosePlace')}</Text> : null}
        {verb !== 'move' ? (
          <>
            <Select label={s('reason')} data={REASONS.map((each) => ({ value: each, label: word(each) }))} value={reason} onChange={setReason} error={tried && !reason ? s('required') : undefined} data-testid="reason" />
            <TextInput label={`${s('note')} (${s('optional')})`} value={note} onChange={(event) => setNote(event.currentTarget.value)} maxLength={500} />
          </>
        ) : null}
        {post.error ? <Problem error={post.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {s('cancel')}
          </Button>
          <Button type="submit" loading={post.isPending} data-testid="post">
            {t('post')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
