-- Quantity: n ÷ d. The client's bytes become logged ones first; bandwidth may count by the share of the month's days.
CREATE OR REPLACE TEMP TABLE quantities AS SELECT m.side, m.domain, m.region, m.bytes,
  m.v * t.factor * CASE WHEN m.side = 'client' THEN t.client_factor ELSE 1 END
    * CASE WHEN t.by_days THEN CASE WHEN t.valid_days_only THEN m.days_measured ELSE t.days END ELSE 1 END AS n,
  m.over * t.divisor * CASE WHEN m.side = 'client' THEN t.client_divisor ELSE 1 END
    * CASE WHEN t.by_days THEN t.days_asked ELSE 1 END AS d
FROM measured m, terms t;
CREATE OR REPLACE TEMP TABLE used AS SELECT q.side, q.domain, q.region, q.bytes,
  CASE WHEN t.quantity_decimals IS NULL THEN q.n ELSE half_up(q.n * CAST(power(10, t.quantity_decimals) AS HUGEINT), q.d) END AS n,
  CASE WHEN t.quantity_decimals IS NULL THEN q.d ELSE CAST(power(10, t.quantity_decimals) AS HUGEINT) END AS d
FROM quantities q, terms t;

-- Everything below is over d × scale. A free quantity is taken off the lower end of the tiers, or off the quantity.
CREATE OR REPLACE TEMP TABLE parts AS SELECT *,
  overage_price IS NOT NULL AND quantity > minimum AS beyond,
  CASE WHEN overage_price IS NOT NULL AND quantity > minimum THEN least(begins, minimum) ELSE begins END AS starts,
  CASE WHEN overage_price IS NOT NULL AND quantity > minimum THEN minimum ELSE greatest(quantity, minimum) END AS ends
FROM (SELECT u.*, t.*, u.d * t.committed AS minimum,
    CASE WHEN t.free_fills_tiers THEN least(t.free * u.d, u.n * t.scale) ELSE 0 END AS begins,
    CASE WHEN t.free_fills_tiers THEN u.n * t.scale ELSE u.n * t.scale - least(t.free * u.d, u.n * t.scale) END AS quantity,
    CASE WHEN EXISTS (SELECT 1 FROM tiers x WHERE x.region = u.region) THEN u.region ELSE '' END AS list
  FROM used u, terms t);

-- Slice by slice, or all at the price of the tier that is reached; then what goes beyond the minimum.
CREATE OR REPLACE TEMP TABLE slices AS SELECT p.side, p.domain, p.region,
  sum(CASE WHEN p.reached THEN 0 ELSE greatest(0::HUGEINT, least(coalesce(x.ends * p.d, p.ends), p.ends) - greatest(x.starts * p.d, p.starts)) * x.price END)::HUGEINT AS sliced,
  arg_min(x.price, x.starts) FILTER (WHERE x.ends IS NULL OR CASE WHEN p.lower_tier THEN x.ends * p.d >= p.ends ELSE x.ends * p.d > p.ends END) AS reached_price
FROM parts p JOIN tiers x ON x.region = p.list GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE costs AS SELECT p.*,
  CASE WHEN p.reached THEN (p.ends - p.starts) * coalesce(s.reached_price, 0) ELSE s.sliced END
    + CASE WHEN p.beyond THEN (p.quantity - greatest(p.minimum, p.begins)) * p.overage_price ELSE 0 END AS cost,
  p.d * p.scale * p.price_scale AS cost_over
FROM parts p JOIN slices s ON s.side = p.side AND s.domain = p.domain AND s.region = p.region;

-- Money, rounded as the contract says. Where it rounds once, lines are added as fractions over one denominator.
CREATE OR REPLACE TEMP TABLE owed AS SELECT side, domain, region, bytes, half_up(n * 1000000000, d) AS used_9,
  money(cost * CAST(power(10, money_decimals) AS HUGEINT), cost_over) AS minor, cost, cost_over, each_line, money_decimals FROM costs;
SELECT side, 'line' AS what, domain, region, CAST(bytes AS VARCHAR) AS bytes, shown(used_9, 9) AS used,
  CASE WHEN each_line THEN shown(minor, money_decimals) END AS amount FROM owed
UNION ALL
SELECT side, 'total', '', '', CAST(sum(bytes)::HUGEINT AS VARCHAR), NULL,
  CASE WHEN bool_and(each_line) THEN shown(sum(minor)::HUGEINT, any_value(money_decimals))
    WHEN min(cost_over) = max(cost_over) THEN shown(money(sum(cost)::HUGEINT * CAST(power(10, any_value(money_decimals)) AS HUGEINT), min(cost_over)), any_value(money_decimals)) END
FROM owed GROUP BY side
ORDER BY side, what, domain, region;
