-- Documents of the point of sale that the lane writes with its batch, a row each over column arrays of equal length. Functions,
-- because PL/pgSQL keeps an array expanded and reads array[n] at once, where unnest fills a tuplestore for each column
-- (docs/why/two-halves.md). They run with the caller's rights.

-- Sales.
CREATE OR REPLACE FUNCTION rider_sale(
  ids uuid[], registers uuid[], locations uuid[], sites uuid[], happened timestamptz[], actors uuid[], customers uuid[],
  refunds_of uuid[], nets bigint[], taxes bigint[], discounts bigint[], totals bigint[], all_units bigint[], line_counts int4[],
  currencies text[], numbers text[], states text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sale (id, register, location, site, happened_at, actor, customer, refund_of, net, tax, discount, total, units,
                    line_count, currency, number, state)
    SELECT ids[n], registers[n], locations[n], sites[n], happened[n], actors[n], customers[n], refunds_of[n], nets[n], taxes[n],
           discounts[n], totals[n], all_units[n], line_counts[n], currencies[n], numbers[n], states[n]
      FROM generate_series(1, cardinality(ids)) AS n;
END $$;

-- Their lines.
CREATE OR REPLACE FUNCTION rider_sale_line(
  sales uuid[], lines int4[], variants uuid[], quantities bigint[], nets bigint[], taxes bigint[], discounts bigint[],
  totals bigint[], unit_prices numeric[], codes text[], told_quantities text[], descriptions text[], lot_codes text[],
  serial_numbers text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sale_line (sale, line, variant, quantity, net, tax, discount, total, unit_price, code, told_quantity, description,
                         lot_code, serial_number)
    SELECT sales[n], lines[n], variants[n], quantities[n], nets[n], taxes[n], discounts[n], totals[n], unit_prices[n], codes[n],
           told_quantities[n], descriptions[n], lot_codes[n], serial_numbers[n]
      FROM generate_series(1, cardinality(sales)) AS n;
END $$;

-- How they were paid.
CREATE OR REPLACE FUNCTION rider_tender(
  sales uuid[], lines int4[], amounts bigint[], kinds text[], refs text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tender (sale, line, amount, kind, reference)
    SELECT sales[n], lines[n], amounts[n], kinds[n], refs[n] FROM generate_series(1, cardinality(sales)) AS n;
END $$;
