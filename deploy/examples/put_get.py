"""Puts DIR/prescription.json through the gateway of DIR/institution.toml, and reads it back: put_get.py DIR"""
import hashlib, pathlib, sys, time, tomllib
import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "proto"))
node = grpc.protos("renkei/node/v1/node.proto")
record, services = grpc.protos_and_services("renkei/record/v1/record.proto")

home = pathlib.Path(sys.argv[1])
profile = tomllib.loads((home / "institution.toml").read_text())
ca, key, certificate = ((home / profile[name]).read_bytes() for name in ("ca", "key", "certificate"))
ticket, actor = ((home / name).read_bytes() for name in ("ticket", "actor"))
who = {"patient": record.Patient(ticket=ticket), "actor": record.Actor(signed=actor)}
document = (home / "prescription.json").read_bytes()

def parts():
    once = hashlib.sha256(document).digest()
    yield record.PutDocumentRequest(head=record.PutHead(**who, idempotency_key=once, document_bytes=len(document)))
    for at in range(0, len(document), 256 * 1024):
        yield record.PutDocumentRequest(piece=document[at : at + 256 * 1024])

def ask(call, attempts=20):
    try:
        return call()
    except grpc.RpcError as error:
        status = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
        details = node.StatusDetails.FromString(status).details
        refusal = node.Refusal.FromString(details[0].value if details else b"")
        if attempts == 0 or not refusal.HasField("retry_after_ms"):
            sys.exit(f"{error.code().name}: {refusal.code} {refusal.field}".strip(" :"))
        time.sleep(max(refusal.retry_after_ms, 50) / 1000)
        return ask(call, attempts - 1)

credentials = grpc.ssl_channel_credentials(ca, key, certificate)
with grpc.secure_channel(profile["endpoints"][0], credentials) as channel:
    records = services.RecordServiceStub(channel)
    stored = ask(lambda: records.PutDocument(parts(), timeout=20))
    wanted = record.GetDocumentRequest(**who, reference=stored.reference)
    pieces = ask(lambda: [part.piece for part in records.GetDocument(wanted, timeout=20)])
print(stored.reference.hex() if b"".join(pieces) == document else sys.exit("other bytes came back"))
