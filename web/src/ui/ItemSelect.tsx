import { Autocomplete } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../api/client'
import type { Page, Variant } from '../api/types'

type Props = { label: string; placeholder?: string; onChange: (variant: Variant | null) => void; error?: string | null; testId?: string }

/** An item by SKU, barcode or name; asks the server. Typing on takes the choice back. Give it a new `key` to empty it. */
export function ItemSelect({ label, placeholder, onChange, error, testId }: Props) {
  const [typed, setTyped] = useState('')
  const [asked] = useDebouncedValue(typed.trim(), 150)
  const found = useQuery({ queryKey: ['variants', 'pick', asked], queryFn: ({ signal }) => api.get<Page<Variant>>('/v1/variants', { query: { q: asked, limit: 20 }, signal }), enabled: asked.length > 1 })
  const options = new Map((found.data?.data ?? []).map((variant) => [`${variant.sku} · ${variant.name}`, variant]))
  return (
    <Autocomplete
      label={label}
      placeholder={placeholder}
      data={[...options.keys()]}
      filter={({ options: all }) => all}
      value={typed}
      error={error}
      onChange={(text) => {
        setTyped(text)
        onChange(options.get(text) ?? [...options.values()].find((variant) => variant.sku === text.trim()) ?? null)
      }}
      data-testid={testId}
    />
  )
}
