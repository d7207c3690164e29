DROP TABLE IF EXISTS grants;
DROP TABLE IF EXISTS permissions;
DROP TABLE IF EXISTS service_accounts;
DROP TABLE IF EXISTS accounts;
CREATE TABLE accounts (
    id VARCHAR(36) PRIMARY KEY,
    email VARCHAR(255) NOT NULL,
    given_name VARCHAR(100) NOT NULL,
    family_name VARCHAR(100) NOT NULL,
    username VARCHAR(100) NOT NULL UNIQUE,
    status VARCHAR(20) NOT NULL
        CHECK (status IN ('ACTIVE', 'PENDING', 'SUSPENDED', 'DEPROVISIONED')),
    department VARCHAR(40) NOT NULL,
    last_login_at TIMESTAMPTZ
);
CREATE TABLE service_accounts (
    id VARCHAR(36) PRIMARY KEY,
    name VARCHAR(100) NOT NULL UNIQUE,
    purpose VARCHAR(100) NOT NULL,
    owner_id VARCHAR(36) NOT NULL REFERENCES accounts (id),
    is_enabled VARCHAR(5) NOT NULL CHECK (is_enabled IN ('true', 'false'))
);
CREATE TABLE permissions (
    id VARCHAR(40) PRIMARY KEY,
    module VARCHAR(40) NOT NULL,
    name VARCHAR(100) NOT NULL,
    description VARCHAR(200) NOT NULL,
    is_requestable VARCHAR(5) NOT NULL CHECK (is_requestable IN ('true', 'false'))
);
CREATE TABLE grants (
    account_id VARCHAR(36) NOT NULL,
    permission_id VARCHAR(40) NOT NULL REFERENCES permissions (id),
    PRIMARY KEY (account_id, permission_id)
);
INSERT INTO accounts VALUES ('7311d8a3-c2ce-4f44-bed4-d57b1e2feb89', 'elif.silva0@example.com', 'Elif', 'Silva', 'elif.silva0', 'DEPROVISIONED', 'Engineering', '2025-11-24T13:12:00Z');
INSERT INTO accounts VALUES ('6ec9d286-63ca-428d-95f4-b3b2e4b06ce6', 'priya.moreau1@example.com', 'Priya', 'Moreau', 'priya.moreau1', 'ACTIVE', 'Operations', '2025-11-03T21:55:00Z');
INSERT INTO accounts VALUES ('51431193-e6c3-4339-9a2b-8f1ff1fd42a2', 'ada.o-brien2@example.com', 'Ada', 'O''Brien', 'ada.o-brien2', 'ACTIVE', 'Finance', '2025-12-25T03:23:00Z');
INSERT INTO accounts VALUES ('6c0fd4f5-f813-4c42-b773-0edfafbd67f9', 'ada.adeyemi3@example.com', 'Ada', 'Adeyemi', 'ada.adeyemi3', 'ACTIVE', 'Sales', '2025-12-06T00:45:00Z');
INSERT INTO accounts VALUES ('3b1a11df-587f-4280-bbab-6c398d88348a', 'ada.quist4@example.com', 'Ada', 'Quist', 'ada.quist4', 'ACTIVE', 'Sales', '2025-12-16T11:07:00Z');
INSERT INTO accounts VALUES ('ec148cb4-8e73-4a47-aa90-a8f0d66b829e', 'hugo.o-brien5@example.com', 'Hugo', 'O''Brien', 'hugo.o-brien5', 'DEPROVISIONED', 'Legal', '2025-12-09T05:09:00Z');
INSERT INTO accounts VALUES ('e5446dd4-552b-42f6-be3e-dc0a1ef2a4f0', 'dmitri.fischer6@example.com', 'Dmitri', 'Fischer', 'dmitri.fischer6', 'ACTIVE', 'Engineering', '2025-11-28T07:28:00Z');
INSERT INTO accounts VALUES ('e1ea24c4-f934-4c68-966b-aea148beab13', 'noor.quist7@example.com', 'Noor', 'Quist', 'noor.quist7', 'ACTIVE', 'Engineering', '2025-11-28T22:43:00Z');
INSERT INTO accounts VALUES ('677f6cbd-cc22-4f58-be65-21cc3e2434e3', 'priya.quist8@example.com', 'Priya', 'Quist', 'priya.quist8', 'ACTIVE', 'Finance', '2025-12-15T01:04:00Z');
INSERT INTO accounts VALUES ('82283d15-a9ec-4806-b05f-ca161622bd79', 'noor.fischer9@example.com', 'Noor', 'Fischer', 'noor.fischer9', 'ACTIVE', 'Finance', '2025-12-05T10:33:00Z');
INSERT INTO accounts VALUES ('0b21fbac-7825-4d68-8792-3986bb968a43', 'dmitri.fischer10@example.com', 'Dmitri', 'Fischer', 'dmitri.fischer10', 'ACTIVE', 'Sales', '2025-12-15T21:45:00Z');
INSERT INTO accounts VALUES ('fb695ffb-3a18-40c7-8092-b4d42b28fef0', 'jun.tanaka11@example.com', 'Jun', 'Tanaka', 'jun.tanaka11', 'ACTIVE', 'Sales', '2025-11-16T20:08:00Z');
INSERT INTO accounts VALUES ('f3d4e711-5804-4922-8386-8a29678a5aa3', 'ada.garcia12@example.com', 'Ada', 'García', 'ada.garcia12', 'ACTIVE', 'Finance', '2025-11-22T11:11:00Z');
INSERT INTO accounts VALUES ('62397bc7-0176-4741-bab9-f87ff5059285', 'lea.o-brien13@example.com', 'Léa', 'O''Brien', 'lea.o-brien13', 'SUSPENDED', 'Engineering', '2025-12-26T18:15:00Z');
INSERT INTO accounts VALUES ('91eb79fa-5d5f-476c-9eb8-fc4c7b297d0b', 'elif.quist14@example.com', 'Elif', 'Quist', 'elif.quist14', 'ACTIVE', 'Operations', '2025-11-06T10:36:00Z');
INSERT INTO accounts VALUES ('8a449ebe-89d9-4f02-8067-dba858989008', 'grace.quist15@example.com', 'Grace', 'Quist', 'grace.quist15', 'ACTIVE', 'Finance', '2025-12-09T01:19:00Z');
INSERT INTO accounts VALUES ('2e47dc0e-959f-4a51-8cfe-5cd12d5db79b', 'kofi.o-brien16@example.com', 'Kofi', 'O''Brien', 'kofi.o-brien16', 'ACTIVE', 'Finance', '2025-12-29T03:59:00Z');
INSERT INTO accounts VALUES ('ac512b01-f18d-41ee-977c-96c0084f3dd6', 'chloe.rossi17@example.com', 'Chloé', 'Rossi', 'chloe.rossi17', 'ACTIVE', 'Finance', '2025-11-24T13:41:00Z');
INSERT INTO accounts VALUES ('cc1b0c3e-1c07-424e-84c5-b4763fe31d03', 'chloe.costa18@example.com', 'Chloé', 'Costa', 'chloe.costa18', 'SUSPENDED', 'Sales', '2025-11-26T22:17:00Z');
INSERT INTO accounts VALUES ('a81aa40a-2b0b-4c12-b3b3-7f32870266c4', 'femi.lindqvist19@example.com', 'Femi', 'Lindqvist', 'femi.lindqvist19', 'ACTIVE', 'Operations', '2025-11-24T13:31:00Z');
INSERT INTO accounts VALUES ('62f5680c-4fdf-4e1a-860c-ea631d3b993f', 'ines.jansen20@example.com', 'Ines', 'Jansen', 'ines.jansen20', 'ACTIVE', 'Operations', '2025-12-14T10:58:00Z');
INSERT INTO accounts VALUES ('fa0b8518-8296-45ea-baeb-41a5e65a8149', 'kofi.novak21@example.com', 'Kofi', 'Novák', 'kofi.novak21', 'ACTIVE', 'Operations', '2025-11-24T09:41:00Z');
INSERT INTO accounts VALUES ('090b20bb-257e-4454-a5b6-75cd0492c4f5', 'grace.tanaka22@example.com', 'Grace', 'Tanaka', 'grace.tanaka22', 'ACTIVE', 'Legal', '2025-11-21T20:20:00Z');
INSERT INTO accounts VALUES ('f9c08fef-fa1b-4bf1-b879-399bd50e0097', 'femi.o-brien23@example.com', 'Femi', 'O''Brien', 'femi.o-brien23', 'ACTIVE', 'Engineering', '2025-12-20T21:55:00Z');
INSERT INTO accounts VALUES ('a185cc8e-a8ea-47f7-923d-2a54cdaaac43', 'omar.haddad24@example.com', 'Omar', 'Haddad', 'omar.haddad24', 'ACTIVE', 'Operations', '2025-12-23T17:57:00Z');
INSERT INTO accounts VALUES ('121b2800-4e6f-4a94-8c25-0a03e023033d', 'noor.berg25@example.com', 'Noor', 'Berg', 'noor.berg25', 'ACTIVE', 'Operations', '2025-11-20T15:24:00Z');
INSERT INTO accounts VALUES ('21615022-409a-4a78-909f-f4976a8a43ef', 'chloe.jansen26@example.com', 'Chloé', 'Jansen', 'chloe.jansen26', 'SUSPENDED', 'Operations', '2025-11-15T17:36:00Z');
INSERT INTO accounts VALUES ('75fa6dd8-91fd-485c-a69b-ae29f652d008', 'ada.rossi27@example.com', 'Ada', 'Rossi', 'ada.rossi27', 'SUSPENDED', 'Operations', '2025-11-21T03:20:00Z');
INSERT INTO accounts VALUES ('ac954ab5-92c9-457d-b4ac-cd781959b9ef', 'femi.tanaka28@example.com', 'Femi', 'Tanaka', 'femi.tanaka28', 'ACTIVE', 'Sales', '2025-12-02T21:52:00Z');
INSERT INTO accounts VALUES ('04673b75-7ff2-4341-810d-2e304bcb6b22', 'noor.silva29@example.com', 'Noor', 'Silva', 'noor.silva29', 'ACTIVE', 'Operations', '2025-12-06T20:06:00Z');
INSERT INTO accounts VALUES ('53e6d093-db87-472d-b36b-1a45282ee0bc', 'kofi.tanaka30@example.com', 'Kofi', 'Tanaka', 'kofi.tanaka30', 'SUSPENDED', 'Finance', '2025-11-02T23:31:00Z');
INSERT INTO accounts VALUES ('8c31406d-eea3-4685-a115-75c2d67393d6', 'elif.kaya31@example.com', 'Elif', 'Kaya', 'elif.kaya31', 'ACTIVE', 'Operations', '2025-11-10T02:36:00Z');
INSERT INTO accounts VALUES ('15ad9a9d-0a57-4f35-b9b8-163510b8fe22', 'lea.rossi32@example.com', 'Léa', 'Rossi', 'lea.rossi32', 'ACTIVE', 'Legal', '2025-11-22T16:34:00Z');
INSERT INTO accounts VALUES ('8181e84d-99a7-4924-950d-40ddc2557035', 'elif.fischer33@example.com', 'Elif', 'Fischer', 'elif.fischer33', 'ACTIVE', 'Sales', '2025-11-25T17:28:00Z');
INSERT INTO accounts VALUES ('c78fec45-9a9e-494c-b1a9-a658de0f39a7', 'ines.lindqvist34@example.com', 'Ines', 'Lindqvist', 'ines.lindqvist34', 'ACTIVE', 'Operations', '2025-11-22T17:46:00Z');
INSERT INTO accounts VALUES ('6156c4df-12bc-4dcb-a816-de060a04ef48', 'priya.eriksen35@example.com', 'Priya', 'Eriksen', 'priya.eriksen35', 'ACTIVE', 'Engineering', '2025-11-30T12:38:00Z');
INSERT INTO accounts VALUES ('39455353-8cde-4e75-921e-bce6139f7110', 'elif.eriksen36@example.com', 'Elif', 'Eriksen', 'elif.eriksen36', 'ACTIVE', 'Engineering', '2025-12-05T17:50:00Z');
INSERT INTO accounts VALUES ('e5920673-7530-4db7-9d43-d1ffecd1345e', 'chloe.ito37@example.com', 'Chloé', 'Ito', 'chloe.ito37', 'ACTIVE', 'Operations', '2025-12-19T23:11:00Z');
INSERT INTO accounts VALUES ('17788b95-03b9-4d91-aba0-18ea9d19ee45', 'ines.dupont38@example.com', 'Ines', 'Dupont', 'ines.dupont38', 'ACTIVE', 'Finance', '2025-11-02T11:02:00Z');
INSERT INTO accounts VALUES ('96380ed6-fcf7-449d-8917-52a33d589cab', 'noor.dupont39@example.com', 'Noor', 'Dupont', 'noor.dupont39', 'ACTIVE', 'Engineering', '2025-11-18T10:31:00Z');
INSERT INTO accounts VALUES ('00e6a305-86b4-4f01-9c03-151c32864238', 'noor.jansen40@example.com', 'Noor', 'Jansen', 'noor.jansen40', 'ACTIVE', 'Sales', '2025-12-19T15:53:00Z');
INSERT INTO accounts VALUES ('b312ad6f-bbdc-45a2-b977-edf4959d133d', 'mina.silva41@example.com', 'Mina', 'Silva', 'mina.silva41', 'ACTIVE', 'Sales', '2025-12-27T21:57:00Z');
INSERT INTO service_accounts VALUES ('ae4ecf4b-2ad9-440a-b36e-bf511d95389b', 'svc-payment-gateway-0', 'Payment gateway', '21615022-409a-4a78-909f-f4976a8a43ef', 'true');
INSERT INTO service_accounts VALUES ('ce75f4ba-60d6-4766-b6f6-2c28e927db48', 'svc-search-index-1', 'Search index', 'e5446dd4-552b-42f6-be3e-dc0a1ef2a4f0', 'false');
INSERT INTO service_accounts VALUES ('50806f01-7a1d-456c-b62c-228e40df7c9a', 'svc-mail-relay-2', 'Mail relay', 'cc1b0c3e-1c07-424e-84c5-b4763fe31d03', 'true');
INSERT INTO service_accounts VALUES ('fb8a99a2-c96f-4758-82b0-87f806faadb1', 'svc-nightly-export-3', 'Nightly export', '62f5680c-4fdf-4e1a-860c-ea631d3b993f', 'false');
INSERT INTO service_accounts VALUES ('6607b615-5033-4cb8-a42a-357c732902f4', 'svc-monitoring-4', 'Monitoring', '17788b95-03b9-4d91-aba0-18ea9d19ee45', 'true');
INSERT INTO permissions VALUES ('orders.view', 'orders', 'View orders', 'May look at them', 'true');
INSERT INTO permissions VALUES ('orders.edit', 'orders', 'Edit orders', 'May change them', 'true');
INSERT INTO permissions VALUES ('orders.approve', 'orders', 'Approve orders', 'May approve them', 'true');
INSERT INTO permissions VALUES ('orders.admin', 'orders', 'Admin orders', 'May do anything with them', 'false');
INSERT INTO permissions VALUES ('invoices.view', 'invoices', 'View invoices', 'May look at them', 'true');
INSERT INTO permissions VALUES ('invoices.edit', 'invoices', 'Edit invoices', 'May change them', 'true');
INSERT INTO permissions VALUES ('invoices.approve', 'invoices', 'Approve invoices', 'May approve them', 'true');
INSERT INTO permissions VALUES ('invoices.admin', 'invoices', 'Admin invoices', 'May do anything with them', 'false');
INSERT INTO permissions VALUES ('contracts.view', 'contracts', 'View contracts', 'May look at them', 'true');
INSERT INTO permissions VALUES ('contracts.edit', 'contracts', 'Edit contracts', 'May change them', 'true');
INSERT INTO permissions VALUES ('contracts.approve', 'contracts', 'Approve contracts', 'May approve them', 'true');
INSERT INTO permissions VALUES ('contracts.admin', 'contracts', 'Admin contracts', 'May do anything with them', 'false');
INSERT INTO permissions VALUES ('reports.view', 'reports', 'View reports', 'May look at them', 'true');
INSERT INTO permissions VALUES ('reports.edit', 'reports', 'Edit reports', 'May change them', 'true');
INSERT INTO permissions VALUES ('reports.approve', 'reports', 'Approve reports', 'May approve them', 'true');
INSERT INTO permissions VALUES ('reports.admin', 'reports', 'Admin reports', 'May do anything with them', 'false');
INSERT INTO grants VALUES ('00e6a305-86b4-4f01-9c03-151c32864238', 'contracts.view');
INSERT INTO grants VALUES ('00e6a305-86b4-4f01-9c03-151c32864238', 'orders.admin');
INSERT INTO grants VALUES ('00e6a305-86b4-4f01-9c03-151c32864238', 'reports.view');
INSERT INTO grants VALUES ('04673b75-7ff2-4341-810d-2e304bcb6b22', 'contracts.edit');
INSERT INTO grants VALUES ('04673b75-7ff2-4341-810d-2e304bcb6b22', 'reports.edit');
INSERT INTO grants VALUES ('04673b75-7ff2-4341-810d-2e304bcb6b22', 'reports.view');
INSERT INTO grants VALUES ('090b20bb-257e-4454-a5b6-75cd0492c4f5', 'contracts.view');
INSERT INTO grants VALUES ('090b20bb-257e-4454-a5b6-75cd0492c4f5', 'invoices.edit');
INSERT INTO grants VALUES ('090b20bb-257e-4454-a5b6-75cd0492c4f5', 'orders.view');
INSERT INTO grants VALUES ('121b2800-4e6f-4a94-8c25-0a03e023033d', 'invoices.edit');
INSERT INTO grants VALUES ('121b2800-4e6f-4a94-8c25-0a03e023033d', 'orders.edit');
INSERT INTO grants VALUES ('15ad9a9d-0a57-4f35-b9b8-163510b8fe22', 'reports.edit');
INSERT INTO grants VALUES ('15ad9a9d-0a57-4f35-b9b8-163510b8fe22', 'reports.view');
INSERT INTO grants VALUES ('17788b95-03b9-4d91-aba0-18ea9d19ee45', 'contracts.view');
INSERT INTO grants VALUES ('21615022-409a-4a78-909f-f4976a8a43ef', 'contracts.edit');
INSERT INTO grants VALUES ('21615022-409a-4a78-909f-f4976a8a43ef', 'contracts.view');
INSERT INTO grants VALUES ('21615022-409a-4a78-909f-f4976a8a43ef', 'invoices.view');
INSERT INTO grants VALUES ('2e47dc0e-959f-4a51-8cfe-5cd12d5db79b', 'contracts.edit');
INSERT INTO grants VALUES ('2e47dc0e-959f-4a51-8cfe-5cd12d5db79b', 'invoices.approve');
INSERT INTO grants VALUES ('2e47dc0e-959f-4a51-8cfe-5cd12d5db79b', 'invoices.view');
INSERT INTO grants VALUES ('2e47dc0e-959f-4a51-8cfe-5cd12d5db79b', 'reports.approve');
INSERT INTO grants VALUES ('39455353-8cde-4e75-921e-bce6139f7110', 'invoices.view');
INSERT INTO grants VALUES ('39455353-8cde-4e75-921e-bce6139f7110', 'orders.view');
INSERT INTO grants VALUES ('39455353-8cde-4e75-921e-bce6139f7110', 'reports.edit');
INSERT INTO grants VALUES ('3b1a11df-587f-4280-bbab-6c398d88348a', 'contracts.edit');
INSERT INTO grants VALUES ('3b1a11df-587f-4280-bbab-6c398d88348a', 'contracts.view');
INSERT INTO grants VALUES ('3b1a11df-587f-4280-bbab-6c398d88348a', 'invoices.admin');
INSERT INTO grants VALUES ('3b1a11df-587f-4280-bbab-6c398d88348a', 'reports.view');
INSERT INTO grants VALUES ('50806f01-7a1d-456c-b62c-228e40df7c9a', 'orders.edit');
INSERT INTO grants VALUES ('50806f01-7a1d-456c-b62c-228e40df7c9a', 'reports.edit');
INSERT INTO grants VALUES ('50806f01-7a1d-456c-b62c-228e40df7c9a', 'reports.view');
INSERT INTO grants VALUES ('51431193-e6c3-4339-9a2b-8f1ff1fd42a2', 'contracts.view');
INSERT INTO grants VALUES ('51431193-e6c3-4339-9a2b-8f1ff1fd42a2', 'invoices.view');
INSERT INTO grants VALUES ('53e6d093-db87-472d-b36b-1a45282ee0bc', 'contracts.view');
INSERT INTO grants VALUES ('53e6d093-db87-472d-b36b-1a45282ee0bc', 'orders.admin');
INSERT INTO grants VALUES ('53e6d093-db87-472d-b36b-1a45282ee0bc', 'orders.edit');
INSERT INTO grants VALUES ('62397bc7-0176-4741-bab9-f87ff5059285', 'contracts.edit');
INSERT INTO grants VALUES ('6607b615-5033-4cb8-a42a-357c732902f4', 'contracts.approve');
INSERT INTO grants VALUES ('6607b615-5033-4cb8-a42a-357c732902f4', 'invoices.view');
INSERT INTO grants VALUES ('6607b615-5033-4cb8-a42a-357c732902f4', 'reports.view');
INSERT INTO grants VALUES ('677f6cbd-cc22-4f58-be65-21cc3e2434e3', 'invoices.view');
INSERT INTO grants VALUES ('6ec9d286-63ca-428d-95f4-b3b2e4b06ce6', 'reports.edit');
INSERT INTO grants VALUES ('75fa6dd8-91fd-485c-a69b-ae29f652d008', 'invoices.view');
INSERT INTO grants VALUES ('75fa6dd8-91fd-485c-a69b-ae29f652d008', 'orders.view');
INSERT INTO grants VALUES ('75fa6dd8-91fd-485c-a69b-ae29f652d008', 'reports.edit');
INSERT INTO grants VALUES ('8181e84d-99a7-4924-950d-40ddc2557035', 'invoices.view');
INSERT INTO grants VALUES ('8181e84d-99a7-4924-950d-40ddc2557035', 'reports.view');
INSERT INTO grants VALUES ('82283d15-a9ec-4806-b05f-ca161622bd79', 'orders.view');
INSERT INTO grants VALUES ('8a449ebe-89d9-4f02-8067-dba858989008', 'orders.view');
INSERT INTO grants VALUES ('8c31406d-eea3-4685-a115-75c2d67393d6', 'invoices.edit');
INSERT INTO grants VALUES ('8c31406d-eea3-4685-a115-75c2d67393d6', 'orders.view');
INSERT INTO grants VALUES ('91eb79fa-5d5f-476c-9eb8-fc4c7b297d0b', 'contracts.view');
INSERT INTO grants VALUES ('91eb79fa-5d5f-476c-9eb8-fc4c7b297d0b', 'invoices.view');
INSERT INTO grants VALUES ('96380ed6-fcf7-449d-8917-52a33d589cab', 'contracts.edit');
INSERT INTO grants VALUES ('96380ed6-fcf7-449d-8917-52a33d589cab', 'orders.admin');
INSERT INTO grants VALUES ('96380ed6-fcf7-449d-8917-52a33d589cab', 'reports.edit');
INSERT INTO grants VALUES ('a185cc8e-a8ea-47f7-923d-2a54cdaaac43', 'contracts.approve');
INSERT INTO grants VALUES ('a185cc8e-a8ea-47f7-923d-2a54cdaaac43', 'reports.edit');
INSERT INTO grants VALUES ('a81aa40a-2b0b-4c12-b3b3-7f32870266c4', 'orders.edit');
INSERT INTO grants VALUES ('a81aa40a-2b0b-4c12-b3b3-7f32870266c4', 'reports.view');
INSERT INTO grants VALUES ('ac512b01-f18d-41ee-977c-96c0084f3dd6', 'contracts.view');
INSERT INTO grants VALUES ('ac512b01-f18d-41ee-977c-96c0084f3dd6', 'orders.edit');
INSERT INTO grants VALUES ('ac512b01-f18d-41ee-977c-96c0084f3dd6', 'reports.edit');
INSERT INTO grants VALUES ('ac954ab5-92c9-457d-b4ac-cd781959b9ef', 'invoices.view');
INSERT INTO grants VALUES ('ae4ecf4b-2ad9-440a-b36e-bf511d95389b', 'contracts.edit');
INSERT INTO grants VALUES ('ae4ecf4b-2ad9-440a-b36e-bf511d95389b', 'orders.edit');
INSERT INTO grants VALUES ('ae4ecf4b-2ad9-440a-b36e-bf511d95389b', 'orders.view');
INSERT INTO grants VALUES ('b312ad6f-bbdc-45a2-b977-edf4959d133d', 'contracts.edit');
INSERT INTO grants VALUES ('b312ad6f-bbdc-45a2-b977-edf4959d133d', 'invoices.edit');
INSERT INTO grants VALUES ('b312ad6f-bbdc-45a2-b977-edf4959d133d', 'orders.approve');
INSERT INTO grants VALUES ('c78fec45-9a9e-494c-b1a9-a658de0f39a7', 'reports.view');
INSERT INTO grants VALUES ('cc1b0c3e-1c07-424e-84c5-b4763fe31d03', 'contracts.view');
INSERT INTO grants VALUES ('cc1b0c3e-1c07-424e-84c5-b4763fe31d03', 'invoices.view');
INSERT INTO grants VALUES ('cc1b0c3e-1c07-424e-84c5-b4763fe31d03', 'orders.view');
INSERT INTO grants VALUES ('cc1b0c3e-1c07-424e-84c5-b4763fe31d03', 'reports.view');
INSERT INTO grants VALUES ('ce75f4ba-60d6-4766-b6f6-2c28e927db48', 'contracts.admin');
INSERT INTO grants VALUES ('ce75f4ba-60d6-4766-b6f6-2c28e927db48', 'contracts.edit');
INSERT INTO grants VALUES ('ce75f4ba-60d6-4766-b6f6-2c28e927db48', 'reports.view');
INSERT INTO grants VALUES ('e1ea24c4-f934-4c68-966b-aea148beab13', 'invoices.edit');
INSERT INTO grants VALUES ('e1ea24c4-f934-4c68-966b-aea148beab13', 'orders.view');
INSERT INTO grants VALUES ('e5446dd4-552b-42f6-be3e-dc0a1ef2a4f0', 'contracts.view');
INSERT INTO grants VALUES ('e5446dd4-552b-42f6-be3e-dc0a1ef2a4f0', 'invoices.edit');
INSERT INTO grants VALUES ('e5920673-7530-4db7-9d43-d1ffecd1345e', 'contracts.view');
INSERT INTO grants VALUES ('e5920673-7530-4db7-9d43-d1ffecd1345e', 'invoices.edit');
INSERT INTO grants VALUES ('f3d4e711-5804-4922-8386-8a29678a5aa3', 'invoices.edit');
INSERT INTO grants VALUES ('f3d4e711-5804-4922-8386-8a29678a5aa3', 'invoices.view');
INSERT INTO grants VALUES ('f9c08fef-fa1b-4bf1-b879-399bd50e0097', 'contracts.approve');
INSERT INTO grants VALUES ('f9c08fef-fa1b-4bf1-b879-399bd50e0097', 'invoices.approve');
INSERT INTO grants VALUES ('fa0b8518-8296-45ea-baeb-41a5e65a8149', 'contracts.view');
INSERT INTO grants VALUES ('fa0b8518-8296-45ea-baeb-41a5e65a8149', 'reports.view');
INSERT INTO grants VALUES ('fb695ffb-3a18-40c7-8092-b4d42b28fef0', 'invoices.edit');
INSERT INTO grants VALUES ('fb695ffb-3a18-40c7-8092-b4d42b28fef0', 'orders.view');
INSERT INTO grants VALUES ('fb695ffb-3a18-40c7-8092-b4d42b28fef0', 'reports.view');
INSERT INTO grants VALUES ('fb8a99a2-c96f-4758-82b0-87f806faadb1', 'orders.view');
INSERT INTO grants VALUES ('fb8a99a2-c96f-4758-82b0-87f806faadb1', 'reports.view');
