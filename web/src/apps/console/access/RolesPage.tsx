import { Badge, Button, Drawer, Group, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import { useMay } from '../../../api/session'
import type { Role } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { listKey } from '../../../ui/datalist/useListData'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { notifyDone } from '../../../ui/notify'
import { Page } from '../../../ui/Page'
import { Problem } from '../../../ui/states'
import { fromTyped } from '../../../values/decimal'
import { uuid7 } from '../../../values/uuid7'
import { peopleTexts } from './peopleTexts'
import { PermissionPicker } from './PermissionPicker'

type Draft = Pick<Role, 'name' | 'permissions' | 'limits'> & Partial<Pick<Role, 'id' | 'builtin' | 'version'>>
const EMPTY: Draft = { name: '', permissions: [], limits: { adjust_units: null, adjust_value: null } }

export function RolesPage() {
  const t = useTexts(peopleTexts)
  const s = useShared()
  const word = useWord(words)
  const formats = useFormats()
  const may = useMay()
  const client = useQueryClient()
  const [open, setOpen] = useState<Draft | null>(null)
  const done = () => {
    setOpen(null)
    void client.invalidateQueries({ queryKey: listKey('/v1/roles') })
    void client.invalidateQueries({ queryKey: ['roles'] })
  }
  const limit = (value: string | null) => <span className="num">{value === null ? t('noLimit') : formats.quantity(value)}</span>
  const columns: Column<Role>[] = [
    { id: 'name', header: s('name'), width: 'minmax(160px, 2fr)', narrow: 'title', cell: (row) => word(row.name) },
    { id: 'builtin', header: s('kind'), width: '120px', narrow: 'corner', cell: (row) => <Badge color={row.builtin ? 'gray' : 'spruce'}>{t(row.builtin ? 'builtin' : 'custom')}</Badge> },
    { id: 'permissions', header: t('permissions'), width: 'minmax(140px, 1fr)', cell: (row) => t('permissionCount', { count: row.permissions.length }) },
    { id: 'units', header: t('limitUnits'), width: '190px', align: 'right', cell: (row) => limit(row.limits.adjust_units) },
    { id: 'value', header: t('limitValue'), width: '190px', align: 'right', cell: (row) => limit(row.limits.adjust_value) },
  ]
  return (
    <Page
      title={t('roles')}
      lead={t('rolesLead')}
      fill
      testId="page-roles"
      actions={
        may('roles:write') ? (
          <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setOpen(EMPTY)} data-testid="new-role">
            {t('newRole')}
          </Button>
        ) : null
      }
    >
      <DataList<Role> page="access.roles" label={t('roles')} path="/v1/roles" columns={columns} rowId={(row) => row.id} onOpen={setOpen} />
      <Drawer opened={open !== null} onClose={() => setOpen(null)} position="right" size="lg" title={open?.id ? word(open.name) : t('newRole')} closeButtonProps={{ 'aria-label': s('close') }}>
        {open ? <RoleForm key={open.id ?? open.name} role={open} onDone={done} onCopy={() => setOpen({ ...open, id: undefined, builtin: false, name: `${word(open.name)} 2` })} /> : null}
      </Drawer>
    </Page>
  )
}

function RoleForm({ role, onDone, onCopy }: { role: Draft; onDone: () => void; onCopy: () => void }) {
  const t = useTexts(peopleTexts)
  const s = useShared()
  const formats = useFormats()
  const may = useMay()
  const writable = may('roles:write')
  const local = (value: string | null) => (value ?? '').replace('.', formats.decimalMark)
  const [id, setId] = useState(() => role.id ?? uuid7())
  const [name, setName] = useState(role.name)
  const [permissions, setPermissions] = useState(role.permissions)
  const [units, setUnits] = useState(local(role.limits.adjust_units))
  const [value, setValue] = useState(local(role.limits.adjust_value))
  const [tried, setTried] = useState(false)
  const read = (typed: string) => (typed.trim() ? fromTyped(typed, formats.decimalMark) : null)
  const bad = (typed: string) => (typed.trim() && fromTyped(typed, formats.decimalMark) === null ? t('badNumber') : null)
  const limits = { adjust_units: read(units), adjust_value: read(value) }
  const save = useMutation({
    mutationFn: () => {
      if (!role.id) return api.post('/v1/roles', { id, name: name.trim(), permissions, limits })
      const changes = role.builtin ? { limits } : { name: name.trim(), permissions, limits }
      return api.patch('/v1/roles/{id}', changes, { path: { id: role.id }, ifMatch: role.version })
    },
    onSuccess: () => {
      notifyDone(t('saved'))
      onDone()
    },
    onError: (error) => {
      if (!role.id && asProblem(error).status !== 0) setId(uuid7())
    },
  })
  const remove = useMutation({
    mutationFn: () => api.delete('/v1/roles/{id}', { path: { id: role.id! } }),
    onSuccess: () => {
      notifyDone(t('roleDeleted'))
      onDone()
    },
  })
  const valid = name.trim() && permissions.length > 0 && !bad(units) && !bad(value)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (valid) save.mutate()
      }}
    >
      <Stack data-testid="role">
        {role.builtin ? <Text size="sm" c="dimmed">{t('builtinHint')}</Text> : <TextInput label={s('name')} value={name} readOnly={!writable} error={tried && !name.trim() ? t('nameNeeded') : null} onChange={(event) => setName(event.currentTarget.value)} data-testid="role-name" />}
        <div>
          <Group grow align="flex-start">
            <TextInput label={t('limitUnits')} inputMode="decimal" value={units} readOnly={!writable} error={bad(units)} onChange={(event) => setUnits(event.currentTarget.value)} data-testid="limit-units" />
            <TextInput label={t('limitValue')} inputMode="decimal" value={value} readOnly={!writable} error={bad(value)} onChange={(event) => setValue(event.currentTarget.value)} data-testid="limit-value" />
          </Group>
          <Text size="xs" c="dimmed" mt={4}>{t('limitHint')}</Text>
        </div>
        <PermissionPicker label={t('permissions')} value={permissions} onChange={setPermissions} readOnly={role.builtin || !writable} error={tried && !permissions.length ? t('permissionNeeded') : null} />
        {save.error ? <Problem error={save.error} /> : null}
        {remove.error ? <Problem error={remove.error} /> : null}
        {writable ? (
          <Group>
            <Button type="submit" loading={save.isPending} data-testid="role-save">{role.id ? s('save') : s('create')}</Button>
            {role.id ? <Button variant="default" onClick={onCopy}>{t('copyOf')}</Button> : null}
            {role.id && !role.builtin ? <Button variant="subtle" color="brick" loading={remove.isPending} onClick={() => remove.mutate()}>{t('deleteRole')}</Button> : null}
          </Group>
        ) : null}
      </Stack>
    </form>
  )
}
