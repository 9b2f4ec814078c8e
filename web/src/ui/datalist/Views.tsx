import { Button, Checkbox, Group, Menu, Modal, Stack, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../api/client'
import type { Page, SavedView } from '../../api/types'
import { uuid7 } from '../../values/uuid7'
import { Icon } from '../Icon'
import { useShared, useTexts } from '../i18n/useTexts'
import { notifyDone } from '../notify'
import { Problem } from '../states'
import type { Search } from '../url'
import { viewPatch, viewQuery, type Filter } from './logic'
import { listTexts } from './texts'
import { ToolButton } from './Toolbar'

type Props = { page: string; search: Search; filters: Filter[]; change: (patch: Record<string, string | null>) => void }

/** Named questions: filters, columns and sort under one word, for oneself or for all. */
export function Views({ page, search, filters, change }: Props) {
  const t = useTexts(listTexts)
  const s = useShared()
  const client = useQueryClient()
  const [naming, setNaming] = useState(false)
  const key = ['views', page]
  const views = useQuery({ queryKey: key, queryFn: () => api.get<Page<SavedView>>('/v1/views', { query: { page } }), staleTime: 300_000, retry: false })
  const remove = useMutation({
    mutationFn: (id: string) => api.delete('/v1/views/{id}', { path: { id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
  })
  const list = views.data?.data ?? []
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <ToolButton label={t('views')} icon="bookmark" />
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => change(viewPatch('', search, filters))}>{t('standard')}</Menu.Item>
          {list.length ? <Menu.Divider /> : null}
          {list.map((view) => (
            <Group key={view.id} gap={0} wrap="nowrap" role="none">
              <Menu.Item onClick={() => change(viewPatch(view.query, search, filters))}>{view.name}</Menu.Item>
              {view.mine === false ? null : (
                <Menu.Item w={40} px={10} color="brick" aria-label={t('deleteView', { name: view.name })} onClick={() => remove.mutate(view.id)}>
                  <Icon name="close" size={14} />
                </Menu.Item>
              )}
            </Group>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<Icon name="plus" size={15} />} onClick={() => setNaming(true)}>
            {t('saveView')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={naming} onClose={() => setNaming(false)} title={t('saveView')} closeButtonProps={{ 'aria-label': s('close') }}>
        <NameForm page={page} query={viewQuery(search, filters)} onDone={() => (setNaming(false), void client.invalidateQueries({ queryKey: key }))} />
      </Modal>
    </>
  )
}

function NameForm({ page, query, onDone }: { page: string; query: string; onDone: () => void }) {
  const t = useTexts(listTexts)
  const s = useShared()
  const [name, setName] = useState('')
  const [everyone, setEveryone] = useState(false)
  const [id] = useState(() => uuid7())
  const save = useMutation({
    mutationFn: () => api.post('/v1/views', { id, page, name: name.trim(), query, shared: everyone }),
    onSuccess: () => {
      notifyDone(t('viewSaved'))
      onDone()
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (name.trim()) save.mutate()
      }}
    >
      <Stack>
        <TextInput label={t('viewName')} value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus required maxLength={80} />
        <Checkbox label={t('shareView')} checked={everyone} onChange={(event) => setEveryone(event.currentTarget.checked)} />
        {save.error ? <Problem error={save.error} /> : null}
        <Button type="submit" loading={save.isPending}>
          {s('save')}
        </Button>
      </Stack>
    </form>
  )
}
