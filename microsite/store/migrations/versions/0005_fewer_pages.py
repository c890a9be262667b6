"""fewer pages in a booking's transaction: an index that no question asks, and two tables that are their own index"""

from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_booking_coach_uid', table_name='booking')
    if op.get_bind().dialect.name == 'sqlite':
        for table in ('job', 'link'):
            with op.batch_alter_table(table, recreate='always', table_kwargs={'sqlite_with_rowid': False}):
                pass
