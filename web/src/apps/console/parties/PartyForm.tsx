import { Button, Fieldset, Group, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import { useMay } from '../../../api/session'
import type { Party } from '../../../api/types'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { Problem } from '../../../ui/states'
import { uuid7 } from '../../../values/uuid7'
import type { Kind } from './PartiesPage'
import { partyTexts } from './texts'

const PLACE = [['line1', 'line'], ['postal_code', 'postal'], ['city', 'city'], ['country', 'country']] as const
type Draft = Record<'name' | 'code' | 'email' | 'phone' | 'external_id' | (typeof PLACE)[number][0] | 'life', string>

/** A supplier or customer to make or change. */
export function PartyForm({ kind, party, onDone }: { kind: Kind; party: Party | null; onDone: () => void }) {
  const t = useTexts(partyTexts)
  const s = useShared()
  const readOnly = !useMay()('parties:write')
  const [id, setId] = useState(() => party?.id ?? uuid7())
  const [tried, setTried] = useState(false)
  const [draft, setDraft] = useState<Draft>(() => ({
    name: party?.name ?? '', code: party?.code ?? '', email: party?.email ?? '', phone: party?.phone ?? '', external_id: party?.external_id ?? '',
    line1: party?.address?.line1 ?? '', postal_code: party?.address?.postal_code ?? '', city: party?.address?.city ?? '', country: party?.address?.country ?? '',
    life: party?.minimum_life_days?.toString() ?? '',
  }))
  const buyer = kind === 'customers'
  const badLife = draft.life.trim() && !(/^\d{1,4}$/.test(draft.life.trim()) && Number(draft.life) <= 3650) ? t('badLife') : null
  const valid = draft.name.trim() && draft.code.trim() && !badLife
  const word = (name: keyof Draft) => draft[name].trim() || null
  const save = useMutation({
    mutationFn: (changes?: { archived: boolean }) => {
      const place = Object.fromEntries(PLACE.map(([name]) => [name, word(name)]).filter(([, value]) => value))
      const values = {
        name: draft.name.trim(), code: draft.code.trim(), email: word('email'), phone: word('phone'), external_id: word('external_id'),
        // What this form does not show of an address stays.
        address: Object.keys(place).length ? { ...(party?.address?.line2 ? { line2: party.address.line2 } : {}), ...(party?.address?.region ? { region: party.address.region } : {}), ...place } : null,
        ...(buyer ? { minimum_life_days: draft.life.trim() ? Number(draft.life) : null } : {}),
      }
      return party ? api.patch<Party>(`/v1/${kind}/${id}`, changes ?? values, { ifMatch: party.version }) : api.post<Party>(`/v1/${kind}`, { id, ...values })
    },
    onSuccess: () => {
      notifyDone(t('saved'))
      onDone()
    },
    onError: (error) => {
      if (!party && asProblem(error).status !== 0) setId(uuid7())
    },
  })
  const field = (name: keyof Draft, label: string, more: object = {}) => (
    <TextInput label={label} value={draft[name]} readOnly={readOnly} maxLength={200} onChange={(event) => { const text = event.currentTarget.value; setDraft((before) => ({ ...before, [name]: text })) }} data-testid={`party-${name}`} {...more} />
  )
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (valid) save.mutate(undefined)
      }}
    >
      <Stack data-testid="party-form">
        {field('name', s('name'), { 'data-autofocus': true, error: tried && !draft.name.trim() ? t('needed') : null })}
        <Group grow align="flex-start">
          {field('code', s('code'), { maxLength: 64, error: tried && !draft.code.trim() ? t('needed') : null })}
          {field('external_id', t('external'))}
        </Group>
        {buyer ? field('life', t('life'), { description: t('lifeHint'), inputMode: 'numeric', error: badLife }) : null}
        <Group grow align="flex-start">
          {field('email', s('email'), { type: 'email' })}
          {field('phone', t('phone'), { type: 'tel', maxLength: 50 })}
        </Group>
        <Fieldset legend={t('address')}>
          <Stack gap="sm">
            {field('line1', t('line'))}
            <Group grow align="flex-start">
              {field('postal_code', t('postal'), { maxLength: 20 })}
              {field('city', t('city'))}
            </Group>
            {field('country', t('country'), { maxLength: 2, description: t('countryHint'), w: 140 })}
          </Stack>
        </Fieldset>
        {save.error ? <Problem error={save.error} /> : null}
        {readOnly ? null : (
          <Group>
            <Button type="submit" loading={save.isPending} data-testid="party-save">{party ? s('save') : s('create')}</Button>
            {party ? (
              <Button variant="subtle" color={party.archived_at ? undefined : 'brick'} loading={save.isPending} onClick={() => save.mutate({ archived: !party.archived_at })}>
                {t(party.archived_at ? 'restore' : 'archive')}
              </Button>
            ) : null}
          </Group>
        )}
      </Stack>
    </form>
  )
}
