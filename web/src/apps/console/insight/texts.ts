import { defineTexts } from '../../../values/i18n'

export const insightTexts = defineTexts({
  en: {
    title: 'Overview', lead: '{organisation}, as of {time}', salesToday: 'Sales today', unitsToday: 'Units today', revenueToday: 'Revenue today',
    stockValue: 'Stock value at list cost', openExceptions: 'Open exceptions', drift: 'Drift', driftNone: 'Books and shelves agree', driftSome: 'Levels and ledger differ', driftUnknown: 'Not verified yet', items: { one: '{count} item', other: '{count} items' },
    pace: 'Units and revenue a minute', units: 'Units', revenue: 'Revenue', ticker: 'Sales, live', noSales: 'No sales yet today.', stores: 'Stores',
    byRevenue: 'Revenue', byUnits: 'Units', byGaps: 'Gaps', gaps: { one: '{count} below minimum', other: '{count} below minimum' }, zeros: { one: '{count} below zero', other: '{count} below zero' },
    salesCount: { one: '{count} sale', other: '{count} sales' }, unitsCount: { one: '{count} unit', other: '{count} units' }, belowMinimum: 'Below minimum', belowZero: 'Below zero', noneBelowMinimum: 'Nothing is below its minimum.',
    noneBelowZero: 'Nothing is below zero.', seeAll: 'See all', paceSummary: 'The last minute: {units} units, {revenue}', colourBy: 'Colour the stores by', lastSale: 'Last sale {age}', noSale: 'No sale today',
    resume: 'Setting up is not finished.', resumeGo: 'Go on',
  },
  de: {
    title: 'Überblick', lead: '{organisation}, Stand {time}', salesToday: 'Verkäufe heute', unitsToday: 'Stück heute', revenueToday: 'Umsatz heute',
    stockValue: 'Bestandswert zu Listenkosten', openExceptions: 'Offene Ausnahmen', drift: 'Abweichung', driftNone: 'Bücher und Bestand stimmen überein', driftSome: 'Bestand und Buchungen weichen ab', driftUnknown: 'Noch nicht geprüft', items: { one: '{count} Artikel', other: '{count} Artikel' },
    pace: 'Stück und Umsatz je Minute', units: 'Stück', revenue: 'Umsatz', ticker: 'Verkäufe, live', noSales: 'Heute noch keine Verkäufe.', stores: 'Filialen',
    byRevenue: 'Umsatz', byUnits: 'Stück', byGaps: 'Lücken', gaps: { one: '{count} unter Mindestbestand', other: '{count} unter Mindestbestand' }, zeros: { one: '{count} unter null', other: '{count} unter null' },
    salesCount: { one: '{count} Verkauf', other: '{count} Verkäufe' }, unitsCount: { one: '{count} Stück', other: '{count} Stück' }, belowMinimum: 'Unter Mindestbestand', belowZero: 'Unter null', noneBelowMinimum: 'Nichts liegt unter seinem Mindestbestand.',
    noneBelowZero: 'Nichts liegt unter null.', seeAll: 'Alle zeigen', paceSummary: 'Letzte Minute: {units} Stück, {revenue}', colourBy: 'Filialen einfärben nach', lastSale: 'Letzter Verkauf {age}', noSale: 'Heute kein Verkauf',
    resume: 'Die Einrichtung ist noch nicht abgeschlossen.', resumeGo: 'Weitermachen',
  },
})
