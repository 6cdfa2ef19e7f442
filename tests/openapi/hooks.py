"""What schemathesis cannot read in the document: whose key, the watcher's signature, and what belongs together.

Every check is on. These hooks only give requests that are right by the document what makes them right altogether;
requests that are wrong on purpose are left as they are.
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import time
import uuid

import requests
import schemathesis
from requests.auth import AuthBase
from schemathesis import GenerationMode

DEMO = json.loads(os.environ["PERDURA_DEMO"])
KEYS = {
    "invoices:write": DEMO["keys"]["merchant"],
    "invoices:read": DEMO["keys"]["merchant"],
    "forms:write": DEMO["keys"]["merchant"],
    "deposits:report": DEMO["keys"]["watcher"],
    "operator": DEMO["keys"]["operator"],
    "purchases:issue": DEMO["keys"]["frontend"],
    "purchases:read": DEMO["keys"]["frontend"],
    "purchases:use": DEMO["keys"]["provider_device"],
    "fridges:open": DEMO["keys"]["frontend"],
    "fridges:read": DEMO["keys"]["frontend"],
    "gifts:use": DEMO["keys"]["shop_device"],
}
# The frontend has the scope, and is not who may ask.
KEYS_BY_OPERATION = {"check_purchase_code": DEMO["keys"]["provider_device"]}
SIGNED = ["webhook-id", "webhook-timestamp", "webhook-signature"]
COINS = [("usdt", "tron"), ("btc", "bitcoin"), ("eth", "ethereum"), ("usdt", "ethereum"), ("usdc", "ethereum")]

RUN = os.getpid()

turns = itertools.count()
used_keys = {}


@schemathesis.auth(refresh_interval=None)
class Bearer:
    """The key with the first scope that the operation names."""

    def get(self, case, context):
        requirements = case.operation.definition.raw.get("security", [])
        operation = case.operation.definition.raw["operationId"].removesuffix("_by_another_path")
        usual = KEYS[requirements[0]["api_key"][0]] if requirements else None
        return KEYS_BY_OPERATION.get(operation, usual)

    def set(self, case, key, context):
        if key is not None:
            case.headers["Authorization"] = f"Bearer {key}"


class Signature(AuthBase):
    """Signs the bytes that are sent, as Standard Webhooks says."""

    def __call__(self, request):
        if all(name in request.headers for name in SIGNED):
            secret = base64.b64decode(DEMO["keys"]["watcher_signing_secret"].removeprefix("whsec_"))
            body = request.body or b""
            body = body.encode() if isinstance(body, str) else body
            message_id, now = f"msg_{next(turns)}", str(int(time.time()))
            signed = hmac.new(secret, f"{message_id}.{now}.".encode() + body, hashlib.sha256).digest()
            signature = "v1," + base64.b64encode(signed).decode()
            request.headers.update(zip(SIGNED, [message_id, now, signature]))
        return request


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.operation.definition.raw["operationId"] == "report_deposits":
        kwargs["auth"] = Signature()
    give_time(case, kwargs)
    if case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE:
        make_possible(case)


def give_time(case, kwargs):
    """Some answers take their time: a stream ends late if at all, and who asks for a wait gets it."""
    operation = case.operation.definition.raw["operationId"].removesuffix("_by_another_path")
    if operation == "follow_invoice":
        kwargs["timeout"] = (10, 5)
        # One event is enough to see what they are like.
        if hasattr(case.operation.schema.config, "max_stream_events"):
            case.operation.schema.config.max_stream_events = 1
    elif operation in ["get_invoice", "get_checkout", "get_transaction"]:
        kwargs["timeout"] = 40


def make_possible(case):
    """Gives a well-formed request a coin that exists, an amount that it can have, and a key that is its own."""
    body = case.body
    if case.operation.definition.raw["operationId"] == "create_invoice" and isinstance(body, dict):
        body["coin_id"], body["network_id"] = COINS[next(turns) % len(COINS)]
        body["amount"] = an_amount(body["amount"])
    makes_form = case.operation.definition.raw["operationId"] in ["create_invoice_form", "change_invoice_form"]
    if makes_form and isinstance(body, dict):
        body["coin_id"], body["network_id"] = [*COINS, (None, None)][next(turns) % (len(COINS) + 1)]
        if isinstance(body.get("amount"), str):
            body["amount"] = an_amount(body["amount"])
    if case.operation.definition.raw["operationId"] in ["get_processing_form", "submit_form"] and next(turns) % 2:
        case.path_parameters["form_id"] = DEMO["demo"]["form_id"]
    if case.operation.definition.raw["operationId"] == "submit_form" and isinstance(body, dict):
        body |= {"coin_id": "usdt", "network_id": "tron", "amount": "12.50"}
        body["form_version"] = 1 if next(turns) // 2 % 2 else None
    if case.operation.definition.raw["operationId"] == "attach_deposit" and isinstance(body, dict):
        body["invoice_id"] = an_invoice_for(case.path_parameters["id"])
    if case.operation.definition.raw["operationId"] == "issue_purchase_code" and isinstance(body, dict):
        body |= a_loan_to_disburse(body["otp"])
    if case.operation.definition.raw["operationId"].startswith("open_machine") and isinstance(body, dict):
        body["stripe"] |= {"amount": "20.00", "currency": "EUR"}
    if case.operation.definition.raw["operationId"] == "use_gift" and isinstance(body, dict):
        body |= {"supplier_invoice_no": DEMO["demo"]["supplier_invoice_no"], "pin": DEMO["demo"]["pin"]}
        body["gift_id"] = an_unused_gift()
    if case.operation.definition.raw["operationId"] == "notify_sale" and next(turns) % 4:
        case.path_parameters.update(a_sale_to_tell_of())
    key = case.headers.get("Idempotency-Key")
    if key is not None:
        # The same key with another body is refused, rightly.
        written = json.dumps([case.operation.label, case.path_parameters, body], sort_keys=True, default=str)
        if used_keys.setdefault(bare(key), written) != written:
            by_page = case.operation.definition.raw["operationId"] == "submit_form"
            case.headers["Idempotency-Key"] = str(uuid.uuid4()) if by_page else f"turn {next(turns)}"


def an_amount(text):
    """A part of an amount that every coin can have."""
    whole, _, fraction = text.partition(".")
    amount = f"{whole[-20:]}.{fraction[:6]}".removesuffix(".")
    return amount if amount.strip("0.") else "1"


def an_invoice_for(deposit_id):
    """A new invoice on the network of a deposit that belongs to none."""
    operator = {"Authorization": f"Bearer {DEMO['keys']['operator']}"}
    listed = requests.get(f"{DEMO['api_url']}/deposits?result=unmatched&limit=100", headers=operator, timeout=10)
    networks = {deposit["deposit_id"]: deposit["network_id"] for deposit in listed.json()["items"]}
    coin, network = next(pair for pair in COINS if pair[1] == networks.get(str(deposit_id), "tron"))
    merchant = {"Authorization": f"Bearer {DEMO['keys']['merchant']}", "Idempotency-Key": f"for {next(turns)}-{RUN}"}
    order = {"coin_id": coin, "network_id": network, "amount": "1"}
    created = requests.post(f"{DEMO['api_url']}/invoices", json=order, headers=merchant, timeout=10)
    created.raise_for_status()
    return created.json()["invoice_id"]


def a_loan_to_disburse(otp):
    """A loan at the sandbox's Mambu, and a one-time password of its client at the sandbox's CIAM."""
    turn = f"{next(turns)}-{RUN}"
    loan = {"loan_account_id": f"LN-{turn}", "client_id": f"C-{turn}", "credit_line_id": f"CL-{turn}"}
    loan |= {"amount": "1250.00", "currency": "MXN"}
    control("/mambu/loans", loan)
    control("/ciam/otps", {"client_id": loan["client_id"], "otp": otp})
    return loan


def an_unused_gift():
    """One of the demo's gifts, whose last use is undone if there was one."""
    gifts = DEMO["demo"]["gift_ids"]
    gift_id = gifts[next(turns) % len(gifts)]
    headers = {"Authorization": f"Bearer {DEMO['keys']['shop_device']}", "Idempotency-Key": f"undo {next(turns)}"}
    requests.post(f"{DEMO['api_url']}/api/gifts/{gift_id}/void", json={}, headers=headers, timeout=10)
    return gift_id


def a_sale_to_tell_of():
    """The last sale of the demo's fridge, and the token in the address that Vendron was given for it."""
    shown = the_fridge()
    if not (shown["order"] or shown["ended"]):
        open_the_fridge()
        shown = the_fridge()
    _, ref, token = (shown["order"] or shown["ended"])["notification_url"].rsplit("/", 2)
    return {"ref": ref, "token": token}


def the_fridge():
    """The demo's fridge as the sandbox's Vendron knows it, with the sale that runs or the one that ended last."""
    machine = f"{DEMO['sandbox_url']}/_control/vendron/machines/{DEMO['demo']['machine_uid']}"
    shown = requests.get(machine, timeout=10)
    shown.raise_for_status()
    return shown.json()


def open_the_fridge():
    headers = {"Authorization": f"Bearer {DEMO['keys']['frontend']}", "Idempotency-Key": f"to tell of {RUN}"}
    order = {"user": {"id": "bubble-1", "email": "a@b.c"}}
    order["stripe"] = {"payment_intent_id": "pi_1", "amount": "20.00", "currency": "EUR"}
    machine = f"{DEMO['api_url']}/machines/{DEMO['demo']['machine_id']}"
    requests.post(f"{machine}/open", json=order, headers=headers, timeout=10).raise_for_status()


def control(path, body):
    requests.post(f"{DEMO['sandbox_url']}/_control{path}", json=body, timeout=10).raise_for_status()


def bare(key):
    if not key.startswith('"'):
        return key
    characters = iter(key[1:-1])
    return "".join(next(characters) if character == "\\" else character for character in characters)
