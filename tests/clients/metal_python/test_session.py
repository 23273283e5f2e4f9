from metal_python.api import HealthApi, UserApi, VersionApi

from base import Case, connect


class SessionTest(Case):
    def test_me_is_the_technical_user_of_the_role(self):
        for client, role in (self.admin, "admin"), (self.view, "view"):
            me = UserApi(client).get_me()
            self.assertEqual(me.e_mail, f"metal-{role}@metal-stack.io")
            self.assertEqual(me.name, "Metal-" + role.capitalize())
            self.assertIn(f"maas-all-all-{role}", me.groups)
            self.assertTrue(me.tenant)

    def test_health_is_healthy_for_all_and_for_one_service(self):
        health = HealthApi(self.admin).health()
        self.assertEqual(health.status, "healthy")
        self.assertTrue(health.services)
        for name, service in health.services.items():
            self.assertEqual(service.status, "healthy", name)
        name = sorted(health.services)[0]
        one = HealthApi(self.admin).health(service=name)
        self.assertEqual(set(one.services), {name})

    def test_version_names_the_server(self):
        version = VersionApi(self.admin).info()
        self.assertEqual(version.name, "metal-edge")
        self.assertRegex(version.version, r"^v?\d+\.\d+\.\d+")
        self.assertRegex(version.min_client_version, r"^v\d+\.\d+\.\d+")

    def test_health_and_version_need_no_credentials(self):
        nobody = connect("not-the-key", "Metal-View")
        self.assertEqual(HealthApi(nobody).health().status, "healthy")
        self.assertEqual(VersionApi(nobody).info().name, "metal-edge")
        message = self.refused(403, UserApi(nobody).get_me)
        self.assertEqual(message, "Wrong HMAC found")
