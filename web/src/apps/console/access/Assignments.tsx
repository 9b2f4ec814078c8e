import { ActionIcon, Button, Group, Select, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { readAll, useSites } from '../../../api/places'
import type { Assignment, Role } from '../../../api/types'
import { Icon } from '../../../ui/Icon'
import { useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { peopleTexts } from './peopleTexts'

export const rolesQuery = { queryKey: ['roles'], queryFn: () => readAll<Role>('/v1/roles'), staleTime: 30_000 }
const EVERYWHERE = '*'

/** Which roles, and where: everywhere or at one site. */
export function Assignments({ value, onChange, error }: { value: Assignment[]; onChange: (next: Assignment[]) => void; error?: string | null }) {
  const t = useTexts(peopleTexts)
  const word = useWord(words)
  const roles = useQuery(rolesQuery)
  const sites = useSites()
  const names = roles.data?.map((role) => role.name) ?? []
  const set = (at: number, patch: Partial<Assignment>) => onChange(value.map((each, index) => (index === at ? { ...each, ...patch } : each)))
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600} component="span">
        {t('assignments')}
      </Text>
      {value.map((each, index) => (
        <Group key={index} gap="xs" wrap="nowrap" align="flex-end">
          <Select
            aria-label={`${t('role')} ${index + 1}`}
            placeholder={t('role')}
            data={[...new Set([...names, each.role])].filter(Boolean).map((name) => ({ value: name, label: word(name) }))}
            value={each.role || null}
            onChange={(role) => set(index, { role: role ?? '' })}
            allowDeselect={false}
            searchable
            style={{ flex: 1, minWidth: 0 }}
            data-testid={`role-${index}`}
          />
          <Select
            aria-label={`${t('where')} ${index + 1}`}
            data={[{ value: EVERYWHERE, label: t('everywhere') }, ...sites.map((site) => ({ value: site.id, label: `${site.code} · ${site.name}` }))]}
            value={each.location_id ?? EVERYWHERE}
            onChange={(site) => set(index, { location_id: site === EVERYWHERE ? null : site })}
            allowDeselect={false}
            searchable
            style={{ flex: 1, minWidth: 0 }}
            data-testid={`where-${index}`}
          />
          <ActionIcon variant="subtle" color="gray" size={36} aria-label={t('removeRole', { count: index + 1 })} onClick={() => onChange(value.filter((_, at) => at !== index))}>
            <Icon name="close" size={16} />
          </ActionIcon>
        </Group>
      ))}
      <div>
        <Button size="xs" variant="default" leftSection={<Icon name="plus" size={14} />} onClick={() => onChange([...value, { role: '', location_id: null }])} data-testid="add-role">
          {t('addRole')}
        </Button>
      </div>
      {error ? <Text size="sm" className="bad" role="alert">{error}</Text> : null}
    </Stack>
  )
}

/** "Manager everywhere, Cashier S02". */
export function useAssignmentText(): (assignments: Assignment[]) => string {
  const t = useTexts(peopleTexts)
  const word = useWord(words)
  const sites = useSites()
  return (assignments) => assignments.map((each) => `${word(each.role)} (${each.location_id ? (sites.find((site) => site.id === each.location_id)?.code ?? '…') : t('everywhere')})`).join(', ') || '–'
}
