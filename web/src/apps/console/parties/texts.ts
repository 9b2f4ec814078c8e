import { defineTexts } from '../../../values/i18n'

export const partyTexts = defineTexts({
  en: {
    suppliers: 'Suppliers', customers: 'Customers', suppliersLead: 'Whom goods come from.', customersLead: 'Whom goods go to, and what they ask of them.', newSupplier: 'New supplier', newCustomer: 'New customer', supplier: 'Supplier {code}', customer: 'Customer {code}', noSuppliers: 'No suppliers yet', noCustomers: 'No customers yet', noneHint: 'Make one here, or bring your list along under Import.',
    phone: 'Phone', life: 'Must still be good for', lifeHint: 'Days goods must still be good when they change hands. Lots that expire sooner do not serve this customer.', days: { one: '{count} day', other: '{count} days' }, line: 'Street', postal: 'Postal code', city: 'City', country: 'Country', countryHint: 'Two letters, as in DE.', address: 'Address', external: 'Number elsewhere', archived: 'archived', archive: 'Archive', restore: 'Use again', archivedLabel: 'Archived', needed: 'This is needed.', badLife: 'Whole days, 0 to 3650.', saved: 'Saved.', search: 'Code or name',
  },
  de: {
    suppliers: 'Lieferanten', customers: 'Kunden', suppliersLead: 'Von wem Ware kommt.', customersLead: 'Zu wem Ware geht, und was sie von ihr verlangen.', newSupplier: 'Neuer Lieferant', newCustomer: 'Neuer Kunde', supplier: 'Lieferant {code}', customer: 'Kunde {code}', noSuppliers: 'Noch keine Lieferanten', noCustomers: 'Noch keine Kunden', noneHint: 'Legen Sie hier einen an, oder bringen Sie Ihre Liste unter Import mit.',
    phone: 'Telefon', life: 'Muss noch gut sein für', lifeHint: 'Tage, die Ware bei der Übergabe noch gut sein muss. Chargen, die früher ablaufen, bedienen diesen Kunden nicht.', days: { one: '{count} Tag', other: '{count} Tage' }, line: 'Straße', postal: 'Postleitzahl', city: 'Ort', country: 'Land', countryHint: 'Zwei Buchstaben, wie DE.', address: 'Anschrift', external: 'Nummer anderswo', archived: 'archiviert', archive: 'Archivieren', restore: 'Wieder verwenden', archivedLabel: 'Archiviert', needed: 'Das wird gebraucht.', badLife: 'Ganze Tage, 0 bis 3650.', saved: 'Gespeichert.', search: 'Code oder Name',
  },
})
