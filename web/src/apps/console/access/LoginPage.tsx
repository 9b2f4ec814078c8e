import { Alert, Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Navigate, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import { meQuery, setupQuery } from '../../../api/session'
import { Go } from '../../../ui/Go'
import { Door } from '../../../ui/Door'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { Problem } from '../../../ui/states'
import { useUrl } from '../../../ui/url'
import { paths, safeNext } from '../../../values/paths'
import { loginTexts } from './loginTexts'

export function LoginPage() {
  const t = useTexts(loginTexts)
  const s = useShared()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [search] = useUrl()
  const setup = useQuery(setupQuery)
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [totp, setTotp] = useState('')
  const [asksCode, setAsksCode] = useState(false)
  const login = useMutation({
    mutationFn: () => api.post('/v1/session', { email: email.trim(), password, ...(totp ? { totp: totp.replace(/\s/g, '') } : {}) }),
    onSuccess: async () => {
      client.clear()
      await client.fetchQuery(meQuery)
      await navigate({ href: safeNext(search.next), replace: true })
    },
    onError: (error) => {
      if (asProblem(error).code === 'totp_required') setAsksCode(true)
    },
  })
  if (setup.data?.needed) return <Navigate to={paths.setup() as never} replace />
  const problem = login.error && asProblem(login.error).code === 'totp_required' && !totp ? null : login.error
  return (
    <Door title={t('title')} slogan={t('lead')} testId="page-login">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          login.mutate()
        }}
      >
        <Stack mt="md">
          {setup.data?.demo ? (
            <Alert color="amber" p="xs">
              {t('demo')}
            </Alert>
          ) : null}
          <TextInput label={s('email')} type="email" autoComplete="username" required withAsterisk={false} autoFocus value={email} onChange={(event) => setEmail(event.currentTarget.value)} data-testid="login-email" />
          <PasswordInput label={t('password')} autoComplete="current-password" required withAsterisk={false} value={password} onChange={(event) => setPassword(event.currentTarget.value)} data-testid="login-password" />
          {asksCode ? (
            <TextInput label={t('code')} description={t('codeHint')} autoComplete="one-time-code" required withAsterisk={false} autoFocus value={totp} onChange={(event) => setTotp(event.currentTarget.value)} data-testid="login-totp" />
          ) : null}
          {problem ? <Problem error={problem} /> : null}
          <Button type="submit" size="md" loading={login.isPending} data-testid="login-submit">
            {t('submit')}
          </Button>
          <Anchor component={Go} href={paths.forgotPassword()} size="sm">
            {t('forgot')}
          </Anchor>
        </Stack>
      </form>
    </Door>
  )
}
