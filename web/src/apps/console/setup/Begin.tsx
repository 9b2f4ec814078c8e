import { Button, Group, PasswordInput, Select, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useLanguage, useShared, useTexts } from '../../../ui/i18n/useTexts'
import { Problem } from '../../../ui/states'
import { setupTexts } from './texts'

export type BusinessIn = { name: string; currency: string; locale: string; time_zone: string }

const SHORTEST = 12
/** The usual ones first; every other one can be found by typing. */
const USUAL = ['EUR', 'USD', 'GBP', 'CHF']

function currencies(): string[] {
  const all = Intl.supportedValuesOf?.('currency') ?? []
  return [...new Set([...USUAL, ...all])]
}

export function Business({ first, onDone }: { first: BusinessIn | null; onDone: (given: BusinessIn) => void }) {
  const t = useTexts(setupTexts)
  const s = useShared()
  const { locale, choose } = useLanguage()
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone
  const [given, setGiven] = useState<BusinessIn>(first ?? { name: '', currency: locale === 'de' || here.startsWith('Europe/') ? 'EUR' : 'USD', locale, time_zone: here })
  const set = (part: Partial<BusinessIn>) => setGiven({ ...given, ...part })
  const zones = [...new Set([here, 'UTC', ...(Intl.supportedValuesOf?.('timeZone') ?? [])])]
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onDone({ ...given, name: given.name.trim() })
      }}
    >
      <Stack>
        <TextInput label={t('organisation')} required withAsterisk={false} autoFocus value={given.name} onChange={(event) => set({ name: event.currentTarget.value })} data-testid="organisation" />
        <Group grow align="flex-start">
          <Select label={t('currency')} data={currencies()} searchable limit={60} value={given.currency} allowDeselect={false} onChange={(currency) => set({ currency: currency ?? given.currency })} data-testid="currency" />
          <Select
            label={t('language')}
            data={[{ value: 'en', label: 'English' }, { value: 'de', label: 'Deutsch' }]}
            value={given.locale}
            allowDeselect={false}
            onChange={(next) => {
              set({ locale: next ?? 'en' })
              choose(next === 'de' ? 'de' : 'en')
            }}
          />
        </Group>
        <Select label={t('timeZone')} data={zones} searchable limit={60} value={given.time_zone} allowDeselect={false} onChange={(zone) => set({ time_zone: zone ?? given.time_zone })} data-testid="time-zone" />
        <Group justify="flex-end">
          <Button type="submit" size="md" data-testid="next">
            {s('next')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

export function You({ business, onBack, onDone }: { business: BusinessIn; onBack: () => void; onDone: () => Promise<void> }) {
  const t = useTexts(setupTexts)
  const s = useShared()
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const make = useMutation({
    mutationFn: () => api.post('/v1/setup', { organisation: business, admin: { name: name.trim(), email: email.trim(), password } }),
    onSuccess: onDone,
  })
  const short = password.length < SHORTEST
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (!short) make.mutate()
      }}
    >
      <Stack>
        <TextInput label={t('yourName')} autoComplete="name" required withAsterisk={false} autoFocus value={name} onChange={(event) => setName(event.currentTarget.value)} data-testid="admin-name" />
        <TextInput label={s('email')} type="email" autoComplete="username" required withAsterisk={false} value={email} onChange={(event) => setEmail(event.currentTarget.value)} data-testid="admin-email" />
        <PasswordInput
          label={t('password')}
          description={t('passwordHint')}
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          error={tried && short ? t('tooShort') : undefined}
          data-testid="admin-password"
        />
        {make.error ? <Problem error={make.error} /> : null}
        <Group justify="space-between">
          <Button variant="default" onClick={onBack}>
            {s('back')}
          </Button>
          <Button type="submit" size="md" loading={make.isPending} data-testid="next">
            {t('saveGo')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
