import { Button, Group, PasswordInput, Select, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { meQuery, useMe } from '../../../api/session'
import type { Me, Page as Paged, Session } from '../../../api/types'
import css from '../../../ui/detail.module.css'
import { Facts, Panel } from '../../../ui/Facts'
import { useLanguage, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { Page } from '../../../ui/Page'
import { SecondFactor } from '../../../ui/SecondFactor'
import { Loading, Problem } from '../../../ui/states'
import { nearest, type Locale } from '../../../values/i18n'
import { accountTexts } from './accountTexts'
import { Sessions } from './Sessions'

const LANGUAGES = [{ value: 'en', label: 'English' }, { value: 'de', label: 'Deutsch' }]

/** One's own name and language, password, second factor and sessions. */
export function AccountPage() {
  const t = useTexts(accountTexts)
  const me = useMe()
  const client = useQueryClient()
  const sessions = useQuery({ queryKey: ['my-sessions'], queryFn: () => api.get<Paged<Session>>('/v1/me/sessions') })
  if (!me) return <Page title={t('title')}><Loading /></Page>
  const again = () => client.fetchQuery({ ...meQuery, staleTime: 0 })
  return (
    <Page title={t('title')} testId="page-account">
      <div className={css.columns}>
        <div className={css.stack}>
          <Profile me={me} again={again} />
          <Panel title={t('sessions')} id="account-sessions">
            {sessions.error ? <Problem error={sessions.error} retry={() => void sessions.refetch()} /> : sessions.data ? <Sessions rows={sessions.data.data} again={() => void sessions.refetch()} /> : <Loading />}
          </Panel>
        </div>
        <div className={css.stack}>
          <Password />
          <Factor me={me} again={again} />
        </div>
      </div>
    </Page>
  )
}

function Profile({ me, again }: { me: Me; again: () => Promise<unknown> }) {
  const t = useTexts(accountTexts)
  const s = useShared()
  const word = useWord(words)
  const { locale, choose } = useLanguage()
  const [name, setName] = useState(me.name)
  const [language, setLanguage] = useState<Locale>(me.locale ? nearest(me.locale) : locale)
  const save = useMutation({
    mutationFn: () => api.patch<Me>('/v1/me', { name: name.trim(), locale: language }),
    onSuccess: async () => {
      choose(language)
      notifyDone(t('saved'))
      await again()
    },
  })
  return (
    <Panel title={t('profile')} id="account-profile">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (name.trim()) save.mutate()
        }}
      >
        <Stack>
          <Facts facts={[[s('email'), me.email], [t('rights'), me.roles.map(word).join(', ')]]} />
          <TextInput label={s('name')} autoComplete="name" value={name} error={name.trim() ? null : s('required')} onChange={(event) => setName(event.currentTarget.value)} data-testid="account-name" />
          <Select label={t('language')} data={LANGUAGES} value={language} onChange={(next) => setLanguage(nearest(next))} allowDeselect={false} />
          {save.error ? <Problem error={save.error} /> : null}
          <Group><Button type="submit" loading={save.isPending} data-testid="account-save">{s('save')}</Button></Group>
        </Stack>
      </form>
    </Panel>
  )
}

function Password() {
  const t = useTexts(accountTexts)
  const client = useQueryClient()
  const [old, setOld] = useState('')
  const [next, setNext] = useState('')
  const [tried, setTried] = useState(false)
  const change = useMutation({
    mutationFn: () => api.post('/v1/me/password', { old, new: next }),
    onSuccess: async () => {
      notifyDone(t('changed'))
      setOld('')
      setNext('')
      setTried(false)
      await client.invalidateQueries({ queryKey: ['my-sessions'] })
    },
  })
  return (
    <Panel title={t('password')} id="account-password">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          setTried(true)
          if (old && next.length >= 12) change.mutate()
        }}
      >
        <Stack>
          <PasswordInput label={t('oldPassword')} autoComplete="current-password" value={old} onChange={(event) => setOld(event.currentTarget.value)} />
          <PasswordInput label={t('newPassword')} description={t('passwordHint')} autoComplete="new-password" value={next} error={tried && next.length < 12 ? t('tooShort') : null} onChange={(event) => setNext(event.currentTarget.value)} />
          {change.error ? <Problem error={change.error} /> : null}
          <Group><Button type="submit" variant="default" loading={change.isPending}>{t('change')}</Button></Group>
        </Stack>
      </form>
    </Panel>
  )
}

function Factor({ me, again }: { me: Me; again: () => Promise<unknown> }) {
  const t = useTexts(accountTexts)
  const s = useShared()
  const [setting, setSetting] = useState(false)
  const [code, setCode] = useState('')
  const off = useMutation({
    mutationFn: () => api.delete('/v1/me/totp', { body: { code: code.trim() } }),
    onSuccess: async () => {
      notifyDone(t('factorGone'))
      setCode('')
      await again()
    },
  })
  const done = async () => {
    setSetting(false)
    notifyDone(t('factorDone'))
    await again()
  }
  return (
    <Panel title={t('factor')} id="account-factor">
      <Stack>
        <Text size="sm">{t(me.totp_enabled ? 'factorOn' : 'factorOff')}</Text>
        {me.totp_required ? <Text size="sm" c="dimmed">{t('factorRequired')}</Text> : null}
        {me.totp_enabled ? (
          <form
            onSubmit={(event) => {
              event.preventDefault()
              if (code.trim()) off.mutate()
            }}
          >
            <Stack>
              <TextInput label={t('switchOffLabel')} autoComplete="one-time-code" value={code} onChange={(event) => setCode(event.currentTarget.value)} />
              {off.error ? <Problem error={off.error} /> : null}
              <Group><Button type="submit" variant="default" disabled={!code.trim()} loading={off.isPending}>{t('switchOff')}</Button></Group>
            </Stack>
          </form>
        ) : setting ? (
          <>
            <SecondFactor onDone={done} />
            <Group><Button variant="subtle" onClick={() => setSetting(false)}>{s('cancel')}</Button></Group>
          </>
        ) : (
          <Group><Button onClick={() => setSetting(true)} data-testid="totp-begin">{t('setUp')}</Button></Group>
        )}
      </Stack>
    </Panel>
  )
}
