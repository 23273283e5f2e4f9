"""What the test files share: drivers from the environment, and assertions.

The environment is what `metal-edge env` prints, and

  METAL_TEST_VIEW_HMAC   the key of the role view
  METAL_TEST_FILES       URL of a file server; everything below /missing is 404
"""

import json
import os
import unittest

from metal_python.configuration import Configuration
from metal_python.driver import Driver
from metal_python.rest import ApiException

import strict

FILES = os.environ["METAL_TEST_FILES"]


def connect(key, role):
    # The driver makes its own configuration, a copy of the default one; this is
    # the only way to tell it which CA to trust.
    configuration = Configuration()
    configuration.ssl_ca_cert = os.environ["SSL_CERT_FILE"]
    Configuration.set_default(configuration)
    client = Driver(os.environ["METALCTL_API_URL"], None, key, role).client
    strict.watch(client)
    return client


def admin():
    return connect(os.environ["METALCTL_HMAC"], os.environ["METALCTL_HMAC_AUTH_TYPE"])


def view():
    return connect(os.environ["METAL_TEST_VIEW_HMAC"], "Metal-View")


class Case(unittest.TestCase):
    """With drivers of two roles."""

    @classmethod
    def setUpClass(cls):
        cls.admin = admin()
        cls.view = view()

    def refused(self, status, call, *args):
        """Asserts that the call is answered with status and the API's error body."""
        with self.assertRaises(ApiException) as caught:
            call(*args)
        error = caught.exception
        self.assertEqual(error.status, status, error.body)
        body = json.loads(error.body)
        self.assertEqual(set(body), {"statuscode", "message"})
        self.assertEqual(body["statuscode"], status)
        self.assertTrue(body["message"])
        return body["message"]

    def listed(self, entities, id_of=lambda entity: entity.id):
        """The ids of a list, which a server may send as null when it is empty."""
        return [id_of(entity) for entity in entities or []]

    def assert_touched(self, before, after):
        """An update keeps the time of creation and moves the time of change."""
        self.assertEqual(after.created, before.created)
        self.assertGreater(after.changed, before.changed)
