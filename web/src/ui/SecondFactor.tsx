import { Button, Checkbox, CopyButton, Group, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../api/client'
import { factorTexts } from './i18n/factorTexts'
import { useShared, useTexts } from './i18n/useTexts'
import { Loading, Problem } from './states'

type Started = { secret: string; otpauth_uri: string; recovery_codes: string[] }

/** Sets up codes from a phone: key, recovery codes, and a first code that proves it works. */
export function SecondFactor({ onDone }: { onDone: () => void | Promise<void> }) {
  const t = useTexts(factorTexts)
  const s = useShared()
  const [code, setCode] = useState('')
  const [kept, setKept] = useState(false)
  // Asked once: every asking makes a new secret and voids the one before.
  const started = useQuery({ queryKey: ['totp-start'], queryFn: () => api.post<Started>('/v1/me/totp'), staleTime: Infinity, gcTime: 0, retry: false, refetchOnWindowFocus: false, refetchOnReconnect: false })
  const confirm = useMutation({ mutationFn: () => api.post('/v1/me/totp/confirm', { code: code.replace(/\s/g, '') }), onSuccess: onDone })
  if (started.error) return <Problem error={started.error} retry={() => void started.refetch()} />
  if (!started.data) return <Loading />
  const { secret, otpauth_uri, recovery_codes } = started.data
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        confirm.mutate()
      }}
    >
      <Stack data-testid="second-factor">
        <Text>{t('app')}</Text>
        <Group>
          <Text className="mono" fw={600} fz="lg" style={{ overflowWrap: 'anywhere' }} data-testid="totp-secret" data-secret={secret}>
            {secret.replace(/(.{4})/g, '$1 ').trim()}
          </Text>
          <CopyButton value={secret}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" onClick={copy}>
                {copied ? s('copied') : t('copyKey')}
              </Button>
            )}
          </CopyButton>
        </Group>
        <a href={otpauth_uri}>{t('openLink')}</a>
        <div>
          <Title order={2}>{t('recovery')}</Title>
          <Text size="sm" c="dimmed" mb="xs">
            {t('recoveryHint')}
          </Text>
          <ul className="mono" style={{ columns: 2, margin: 0, paddingLeft: 18 }}>
            {recovery_codes.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
          <CopyButton value={recovery_codes.join('\n')}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" mt="xs" onClick={copy}>
                {copied ? s('copied') : t('copyCodes')}
              </Button>
            )}
          </CopyButton>
        </div>
        <Checkbox label={t('kept')} checked={kept} onChange={(event) => setKept(event.currentTarget.checked)} data-testid="totp-kept" />
        <TextInput label={t('code')} inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(event) => setCode(event.currentTarget.value)} data-testid="totp-code" />
        {confirm.error ? <Problem error={confirm.error} /> : null}
        <Button type="submit" size="md" loading={confirm.isPending} disabled={!kept || code.replace(/\s/g, '').length < 6} data-testid="totp-confirm">
          {t('confirm')}
        </Button>
      </Stack>
    </form>
  )
}
