-- Five customers are deleted. All of them have the newsletter and are VIPs.

DELETE FROM customers WHERE id IN (146, 147, 148, 149, 151);
