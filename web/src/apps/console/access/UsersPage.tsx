import { Badge, Button, Drawer, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import { useMay } from '../../../api/session'
import type { Assignment, Page as Paged, Session, User } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { listKey } from '../../../ui/datalist/useListData'
import { Facts } from '../../../ui/Facts'
import { Icon } from '../../../ui/Icon'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Problem } from '../../../ui/states'
import { uuid7 } from '../../../values/uuid7'
import { Assignments, useAssignmentText } from './Assignments'
import { peopleTexts } from './peopleTexts'
import { Sessions } from './Sessions'

export function UsersPage() {
  const t = useTexts(peopleTexts)
  const s = useShared()
  const may = useMay()
  const client = useQueryClient()
  const text = useAssignmentText()
  const [open, setOpen] = useState<User | null>(null)
  const [inviting, setInviting] = useState(false)
  const again = () => client.invalidateQueries({ queryKey: listKey('/v1/users') })
  const columns: Column<User>[] = [
    { id: 'name', header: s('name'), width: 'minmax(150px, 1.5fr)', narrow: 'title', cell: (row) => row.name },
    { id: 'email', header: s('email'), width: 'minmax(180px, 2fr)', cell: (row) => row.email },
    { id: 'roles', header: t('assignments'), width: 'minmax(180px, 2fr)', cell: (row) => text(row.assignments) },
    { id: 'state', header: s('state'), width: '120px', narrow: 'corner', cell: (row) => <UserState user={row} /> },
    { id: 'totp', header: t('twoFactor'), width: '120px', cell: (row) => t(row.totp_enabled ? 'on' : 'off') },
    { id: 'seen', header: t('lastSeen'), width: '175px', cell: (row) => (row.last_seen_at ? <When at={row.last_seen_at} /> : t('never')) },
  ]
  return (
    <Page
      title={t('users')}
      lead={t('usersLead')}
      fill
      testId="page-users"
      actions={
        may('users:write') ? (
          <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setInviting(true)} data-testid="invite">
            {t('invite')}
          </Button>
        ) : null
      }
    >
      <DataList<User>
        page="access.users"
        label={t('users')}
        path="/v1/users"
        columns={columns}
        filters={[
          { param: 'q', label: s('search'), kind: 'text', placeholder: t('emailHint') },
          { param: 'active', label: t('activeOnly'), kind: 'flag' },
        ]}
        rowId={(row) => row.id}
        onOpen={setOpen}
      />
      <Drawer opened={open !== null} onClose={() => setOpen(null)} position="right" size="lg" title={open?.name ?? ''} closeButtonProps={{ 'aria-label': s('close') }}>
        {open ? <UserForm key={`${open.id} ${open.version}`} user={open} onChanged={(user) => (setOpen(user), void again())} /> : null}
      </Drawer>
      <Modal opened={inviting} onClose={() => setInviting(false)} title={t('inviteTitle')} size="lg" closeButtonProps={{ 'aria-label': s('close') }}>
        <InviteForm onClose={() => setInviting(false)} onDone={again} />
      </Modal>
    </Page>
  )
}

function UserState({ user }: { user: User }) {
  const t = useTexts(peopleTexts)
  if (!user.active) return <Badge color="gray">{t('inactive')}</Badge>
  return user.invited ? <Badge color="amber">{t('invited')}</Badge> : <Badge color="spruce">{t('active')}</Badge>
}

const complete = (assignments: Assignment[]) => assignments.length > 0 && assignments.every((each) => each.role)

function InviteForm({ onClose, onDone }: { onClose: () => void; onDone: () => Promise<unknown> }) {
  const t = useTexts(peopleTexts)
  const s = useShared()
  const [id, setId] = useState(() => uuid7())
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [assignments, setAssignments] = useState<Assignment[]>([{ role: '', location_id: null }])
  const [tried, setTried] = useState(false)
  const send = useMutation({
    mutationFn: () => api.post('/v1/invitations', { id, email: email.trim(), name: name.trim(), assignments }),
    onSuccess: async () => {
      notifyDone(t('inviteDone', { email: email.trim() }))
      onClose()
      await onDone()
    },
    onError: (error) => {
      if (asProblem(error).status !== 0) setId(uuid7())
    },
  })
  const valid = name.trim() && email.includes('@') && complete(assignments)
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (valid) send.mutate()
      }}
    >
      <Stack data-testid="invite-form">
        <Text size="sm" c="dimmed">{t('inviteHint')}</Text>
        <TextInput label={s('name')} data-autofocus value={name} error={tried && !name.trim() ? s('required') : null} onChange={(event) => setName(event.currentTarget.value)} data-testid="invite-name" />
        <TextInput label={s('email')} type="email" value={email} error={tried && !email.includes('@') ? s('required') : null} onChange={(event) => setEmail(event.currentTarget.value)} data-testid="invite-email" />
        <Assignments value={assignments} onChange={setAssignments} error={tried && !complete(assignments) ? t('roleNeeded') : null} />
        {send.error ? <Problem error={send.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{s('cancel')}</Button>
          <Button type="submit" loading={send.isPending} data-testid="invite-send">{t('invite')}</Button>
        </Group>
      </Stack>
    </form>
  )
}

function UserForm({ user, onChanged }: { user: User; onChanged: (user: User) => void }) {
  const t = useTexts(peopleTexts)
  const s = useShared()
  const may = useMay()
  const writable = may('users:write')
  const text = useAssignmentText()
  const [name, setName] = useState(user.name)
  const [assignments, setAssignments] = useState<Assignment[]>(user.assignments)
  const [tried, setTried] = useState(false)
  const sessions = useQuery({ queryKey: ['user-sessions', user.id], queryFn: () => api.get<Paged<Session>>('/v1/users/{id}/sessions', { path: { id: user.id } }), enabled: writable })
  const save = useMutation({
    mutationFn: (changes: object) => api.patch<User>('/v1/users/{id}', changes, { path: { id: user.id }, ifMatch: user.version }),
    onSuccess: (after) => {
      notifyDone(t('saved'))
      onChanged(after)
    },
  })
  const facts = (
    <Facts
      facts={[
        [s('email'), user.email],
        [s('state'), <UserState key="s" user={user} />],
        [t('twoFactor'), t(user.totp_enabled ? 'on' : 'off')],
        [t('lastSeen'), user.last_seen_at ? <When key="l" at={user.last_seen_at} /> : t('never')],
        ...(writable ? [] : [[t('assignments'), text(user.assignments)] as [string, React.ReactNode]]),
      ]}
    />
  )
  if (!writable) return facts
  const changed = name.trim() !== user.name || JSON.stringify(assignments) !== JSON.stringify(user.assignments)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (name.trim() && complete(assignments)) save.mutate({ ...(name.trim() !== user.name ? { name: name.trim() } : {}), ...(JSON.stringify(assignments) !== JSON.stringify(user.assignments) ? { assignments } : {}) })
      }}
    >
      <Stack data-testid="user">
        {facts}
        <TextInput label={s('name')} value={name} error={tried && !name.trim() ? s('required') : null} onChange={(event) => setName(event.currentTarget.value)} />
        <Assignments value={assignments} onChange={setAssignments} error={tried && !complete(assignments) ? t('roleNeeded') : null} />
        {save.error ? <Problem error={save.error} /> : null}
        <Group>
          <Button type="submit" disabled={!changed} loading={save.isPending} data-testid="user-save">{s('save')}</Button>
          <Button variant="default" onClick={() => save.mutate({ active: !user.active })} data-testid="user-active">{t(user.active ? 'deactivate' : 'activate')}</Button>
          {user.totp_enabled ? <Button variant="default" onClick={() => save.mutate({ totp_enabled: false })}>{t('resetTotp')}</Button> : null}
        </Group>
        {user.active ? <Text size="sm" c="dimmed">{t('deactivateHint')}</Text> : null}
        {sessions.data?.data.length ? (
          <section aria-label={t('sessions')}>
            <Text fw={600} mb="xs">{t('sessions')}</Text>
            <Sessions rows={sessions.data.data} again={() => void sessions.refetch()} />
          </section>
        ) : null}
      </Stack>
    </form>
  )
}
