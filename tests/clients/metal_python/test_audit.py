from pathlib import Path

import metal_python.models
from metal_python.api import AuditApi, SizeApi
from metal_python.models import V1AuditFindRequest, V1SizeCreateRequest, V1SizeUpdateRequest

from base import Case, connect

FIELDS = Path(__file__).parents[2] / "fixtures" / "api-fields.txt"


class AuditTest(Case):
    def find(self, **fields):
        return AuditApi(self.view).find_audit_traces(V1AuditFindRequest(**fields)) or []

    def test_a_change_is_found_with_its_caller_and_its_result(self):
        sizes = SizeApi(self.admin)
        labels = {"password": "hidden", "site": "audited"}
        sizes.create_size(V1SizeCreateRequest(id="a1-audit", constraints=[], labels=labels))
        sizes.delete_size("a1-audit")

        found = self.find(path="/v1/size/a1-audit")
        self.assertEqual([(e.phase, e.detail) for e in found],
                         [("response", "DELETE"), ("request", "DELETE")])
        found = self.find(path="/v1/size", detail="PUT", body="a1-audit")
        response, request = found
        self.assertEqual((response.phase, request.phase), ("response", "request"))
        self.assertEqual(response.status_code, 201)
        self.assertEqual(response.rqid, request.rqid)
        self.assertEqual(request.user, "metal-admin@metal-stack.io")
        self.assertTrue(request.tenant)
        self.assertTrue(request.remote_addr)
        self.assertGreater(response.timestamp, request.timestamp)
        for entry in found:
            self.assertIn("audited", entry.body)
            self.assertNotIn("hidden", entry.body)

        self.assertEqual(self.find(rqid=request.rqid), found)
        between = dict(_from=request.timestamp, to=request.timestamp)
        self.assertEqual(self.find(rqid=request.rqid, **between), [request])
        self.assertEqual(len(self.find(limit=1)), 1)

    def test_a_refusal_is_found_with_its_reason(self):
        request = V1SizeUpdateRequest(id="a1-refused")
        self.refused(403, SizeApi(self.view).update_size, request)
        self.refused(404, SizeApi(self.admin).update_size, request)
        nobody = connect("not-the-key", "Metal-Admin")
        self.refused(403, SizeApi(nobody).delete_size, "a1-refused")

        (entry,) = self.find(path="/v1/size/a1-refused", status_code=403)
        self.assertFalse(entry.user)
        self.assertEqual(entry.error, "Wrong HMAC found")
        (entry,) = self.find(error="a1-refused", user="metal-admin@metal-stack.io")
        self.assertEqual((entry.status_code, entry.phase), (404, "response"))
        self.assertTrue(self.find(user="metal-view@metal-stack.io", status_code=403))

    def test_a_search_that_asks_for_too_much_is_refused(self):
        self.assertIn("limit", self.refused(400, self.find_too_much))

    def find_too_much(self):
        self.find(limit=1001)

    def test_it_is_known_of_every_field_of_the_client_whether_it_is_a_secret(self):
        known = {line.split()[0] for line in FIELDS.read_text().splitlines()}
        fields = set()
        for name in dir(metal_python.models):
            fields.update(getattr(getattr(metal_python.models, name), "attribute_map", {}).values())
        self.assertGreater(len(fields), 300)
        self.assertEqual(fields - known, set())
