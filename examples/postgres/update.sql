-- Ten customers change.

-- Two no longer want the newsletter. The first of them is a VIP.
UPDATE customers SET newsletter_until = now() WHERE id IN (152, 201);
-- Three become VIPs, and one is none any more.
UPDATE customers SET points = points + 1000, spent = spent + 250.50 WHERE id BETWEEN 1 AND 3;
UPDATE customers SET points = 0 WHERE id = 144;
-- Four move.
UPDATE customers SET postcode = 'SE1 9GF' WHERE id BETWEEN 101 AND 104;
