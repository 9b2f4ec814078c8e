import { Alert, Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'

import { api } from '../../../api/client'
import { Go } from '../../../ui/Go'
import { Door } from '../../../ui/Door'
import { Icon } from '../../../ui/Icon'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { Problem } from '../../../ui/states'
import { useUrl } from '../../../ui/url'
import { paths } from '../../../values/paths'
import { loginTexts } from './loginTexts'

const SHORTEST = 12

export function AcceptInvitationPage() {
  const t = useTexts(loginTexts)
  const navigate = useNavigate()
  const client = useQueryClient()
  const [{ token }] = useUrl()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const accept = useMutation({
    mutationFn: () => api.post('/v1/invitations/accept', { token, password, name: name.trim() }),
    onSuccess: async () => {
      client.clear()
      await navigate({ href: paths.overview() })
    },
  })
  return (
    <Door title={t('inviteTitle')} lead={t('inviteLead')} slogan={t('lead')} testId="page-accept-invitation">
      <Form token={token} problem={accept.error} busy={accept.isPending} submit={() => accept.mutate()} label={t('start')} password={password}>
        <TextInput label={t('yourName')} autoComplete="name" required withAsterisk={false} autoFocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <NewPassword value={password} set={setPassword} />
      </Form>
    </Door>
  )
}

export function ResetPasswordPage() {
  const t = useTexts(loginTexts)
  const [{ token }] = useUrl()
  const [password, setPassword] = useState('')
  const reset = useMutation({ mutationFn: () => api.post('/v1/password-resets/accept', { token, password }) })
  return (
    <Door title={t('resetTitle')} slogan={t('lead')} testId="page-reset-password">
      {reset.isSuccess ? (
        <Told>{t('resetDone')}</Told>
      ) : (
        <Form token={token} problem={reset.error} busy={reset.isPending} submit={() => reset.mutate()} label={t('resetTitle')} password={password}>
          <NewPassword value={password} set={setPassword} />
        </Form>
      )}
    </Door>
  )
}

export function ForgotPasswordPage() {
  const t = useTexts(loginTexts)
  const s = useShared()
  const [email, setEmail] = useState('')
  const ask = useMutation({ mutationFn: () => api.post('/v1/password-resets', { email: email.trim() }) })
  return (
    <Door title={t('forgotTitle')} lead={t('forgotLead')} slogan={t('lead')} testId="page-forgot-password">
      {ask.isSuccess ? (
        <Told>{t('linkSent')}</Told>
      ) : (
        <Form token="-" problem={ask.error} busy={ask.isPending} submit={() => ask.mutate()} label={t('sendLink')}>
          <TextInput label={s('email')} type="email" autoComplete="username" required withAsterisk={false} autoFocus value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
        </Form>
      )}
    </Door>
  )
}

function NewPassword({ value, set }: { value: string; set: (value: string) => void }) {
  const t = useTexts(loginTexts)
  return <PasswordInput label={t('newPassword')} description={t('passwordHint')} autoComplete="new-password" required withAsterisk={false} value={value} onChange={(event) => set(event.currentTarget.value)} data-testid="new-password" />
}

function Told({ children }: { children: ReactNode }) {
  const t = useTexts(loginTexts)
  return (
    <Stack mt="md">
      <Alert icon={<Icon name="check" />} role="status">
        {children}
      </Alert>
      <Anchor component={Go} href={paths.login()}>
        {t('toLogin')}
      </Anchor>
    </Stack>
  )
}

type FormProps = { token: string | undefined; problem: unknown; busy: boolean; submit: () => void; label: string; password?: string; children: ReactNode }

function Form({ token, problem, busy, submit, label, password, children }: FormProps) {
  const t = useTexts(loginTexts)
  const [early, setEarly] = useState(false)
  if (!token) return <Alert color="amber">{t('noToken')}</Alert>
  const short = password !== undefined && password.length < SHORTEST
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setEarly(short)
        if (!short) submit()
      }}
    >
      <Stack mt="md">
        {children}
        {early && short ? (
          <Alert color="amber" role="alert">
            {t('tooShort')}
          </Alert>
        ) : null}
        {problem ? <Problem error={problem} /> : null}
        <Button type="submit" size="md" loading={busy}>
          {label}
        </Button>
        <Anchor component={Go} href={paths.login()} size="sm">
          {t('toLogin')}
        </Anchor>
      </Stack>
    </form>
  )
}
